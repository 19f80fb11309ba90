using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace NetGo.Http;

/// <summary>A certificate and its key in PEM files that somebody renews, as certbot does: they are looked at once a second at most, when a
/// certificate is asked for, and read again when they have changed. While what is there cannot be read, as in the middle of a renewal, the
/// former one is used. Any thread.</summary>
public sealed class CertificateFiles
{
    private static readonly ConditionalWeakTable<X509Certificate2, X509Certificate2Collection> s_chains = [];

    private readonly string _certificatePath;
    private readonly string _keyPath;
    private readonly Lock _lock = new();
    private volatile X509Certificate2 _current;
    private (DateTime, DateTime) _read;
    private long _lookedAt; // in ms of Environment.TickCount64

    /// <summary>Reads them.</summary>
    /// <param name="certificatePath">The certificate, and those of the authorities between it and the root, after it.</param>
    /// <param name="keyPath">Its key.</param>
    /// <exception cref="IOException">A file cannot be read.</exception>
    /// <exception cref="CryptographicException">One holds something else, or the key is another certificate's.</exception>
    public CertificateFiles(string certificatePath, string keyPath)
    {
        ArgumentException.ThrowIfNullOrEmpty(certificatePath);
        ArgumentException.ThrowIfNullOrEmpty(keyPath);
        _certificatePath = certificatePath;
        _keyPath = keyPath;
        _read = Times();
        _current = Read();
        _lookedAt = Environment.TickCount64;
    }

    /// <summary>The certificate with its key. The same object until the files change.</summary>
    public X509Certificate2 Current
    {
        get
        {
            if (Environment.TickCount64 - Volatile.Read(ref _lookedAt) >= 1000)
                Look();
            return _current;
        }
    }

    /// <summary>The certificates between one that was read here and its root.</summary>
    internal static X509Certificate2Collection? ChainOf(X509Certificate2 certificate) => s_chains.TryGetValue(certificate, out var chain) ? chain : null;

    /// <summary>Reads them again if they have changed.</summary>
    internal void Look()
    {
        lock (_lock)
        {
            Volatile.Write(ref _lookedAt, Environment.TickCount64);
            (DateTime, DateTime) times = Times();
            if (times == _read)
                return;
            try
            {
                _current = Read();
                _read = times;
            }
            catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
            {
                // Half of it is written: the next look finds it whole.
            }
        }
    }

    private (DateTime, DateTime) Times() => (File.GetLastWriteTimeUtc(_certificatePath), File.GetLastWriteTimeUtc(_keyPath));

    private X509Certificate2 Read()
    {
        var certificate = X509Certificate2.CreateFromPemFile(_certificatePath, _keyPath);
        if (OperatingSystem.IsWindows())
        {
            // SChannel wants a key that is in a store.
            using X509Certificate2 read = certificate;
            certificate = X509CertificateLoader.LoadPkcs12(read.Export(X509ContentType.Pkcs12), null);
        }
        var chain = new X509Certificate2Collection();
        chain.ImportFromPemFile(_certificatePath);
        chain.RemoveAt(0);
        s_chains.Add(certificate, chain);
        return certificate;
    }
}
