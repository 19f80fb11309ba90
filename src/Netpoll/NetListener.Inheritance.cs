using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace NetGo.Netpoll;

public sealed partial class NetListener
{
    private HandOverReport? _report;

    /// <summary>The listeners that this process was started with: by systemd (socket activation, sd_listen_fds(3)), by
    /// <see cref="ListenerHandOver"/>, or by whoever else sets <c>LISTEN_FDS</c>. They are on the current scheduler. Call it once, early:
    /// it removes the variables from the environment, so that a second call, and processes started by this one, find none.
    /// Several sockets of one address (SO_REUSEPORT) are one listener with as many shards.</summary>
    /// <param name="options">Of these, <see cref="NetConnectionOptions.NoDelay"/> and <see cref="ListenOptions.Logger"/> count. Null for the
    /// defaults.</param>
    /// <returns>In the order of their descriptors, each with its <see cref="Name"/>. None when the variables are absent or meant for
    /// another process.</returns>
    /// <exception cref="FormatException">The variables are malformed.</exception>
    /// <exception cref="InvalidOperationException">A descriptor is no stream socket that listens; the message says which.</exception>
    /// <exception cref="PlatformNotSupportedException">There are such variables, on Windows.</exception>
    public static IReadOnlyList<NetListener> FromEnvironment(ListenOptions? options = null) =>
        InheritedSockets.Take(GoScheduler.Current, options ?? new ListenOptions());

    /// <summary>A listener over a socket that was opened elsewhere, on the current scheduler; Go's net.FileListener. The listener gets a
    /// descriptor of its own for the same socket: the one that is given stays the caller's, and either may be closed first.</summary>
    /// <param name="handle">A stream socket that listens, TCP or Unix. It becomes non-blocking.</param>
    /// <param name="options">Of these, <see cref="NetConnectionOptions.NoDelay"/>, <see cref="ListenOptions.Name"/> and
    /// <see cref="ListenOptions.Logger"/> count. Null for the defaults.</param>
    /// <exception cref="ArgumentException">It is no stream socket that listens.</exception>
    /// <exception cref="SocketException">The system refused.</exception>
    /// <exception cref="PlatformNotSupportedException">On Windows.</exception>
    public static NetListener FromDescriptor(SafeHandle handle, ListenOptions? options = null) =>
        FromDescriptor(GoScheduler.Current, handle, options);

    internal static NetListener FromDescriptor(GoScheduler scheduler, SafeHandle handle, ListenOptions? options)
    {
        ArgumentNullException.ThrowIfNull(handle);
        if (OperatingSystem.IsWindows())
            throw new PlatformNotSupportedException("NetGo.Netpoll does not take sockets over on Windows.");
        options ??= new ListenOptions();
        bool referenced = false;
        nint descriptor;
        try
        {
            handle.DangerousAddRef(ref referenced);
            descriptor = handle.DangerousGetHandle();
            if (InheritedSockets.ProblemWith(descriptor) is { } problem)
                throw new ArgumentException($"Descriptor {descriptor} {problem}.", nameof(handle));
            descriptor = UnixSockets.Duplicate(descriptor, 0);
            SystemSockets.Require((int)descriptor, "take a listener over");
        }
        finally
        {
            if (referenced)
                handle.DangerousRelease();
        }
        return Over(scheduler, [descriptor], options.Name, options);
    }

    /// <summary>A listener over sockets that listen, all on one address. They are its own, and are closed when this fails.</summary>
    internal static NetListener Over(GoScheduler scheduler, ReadOnlySpan<nint> descriptors, string name, ListenOptions options)
    {
        var shards = new List<ListenSocket>(descriptors.Length);
        try
        {
            foreach (nint descriptor in descriptors)
            {
                var shard = new ListenSocket(scheduler, PollersOf(scheduler, shards.Count, descriptors.Length), descriptor, options);
                shards.Add(shard);
                shard.MarkShared();
                SystemSockets.Require(UnixSockets.Adopt(descriptor), "take a listener over");
                if (options.NoDelay && shard.LocalEndPoint is IPEndPoint)
                    SystemSockets.Require(SystemSockets.SetOption(descriptor, SocketOptionLevel.Tcp, SocketOptionName.NoDelay, 1), "take a listener over");
            }
        }
        catch
        {
            foreach (ListenSocket shard in shards)
                shard.Close();
            foreach (nint descriptor in descriptors[shards.Count..])
                _ = SystemSockets.Close(descriptor);
            throw;
        }
        EndPoint endPoint = shards[0].LocalEndPoint;
        return new NetListener([.. shards], endPoint, name) { _file = UnixSocketFile.At(endPoint) };
    }

    // There need not be as many sockets as processors here. Each processor has one; or each socket has several processors.
    private static INetPoller[] PollersOf(GoScheduler scheduler, int shard, int shards) =>
        shards >= scheduler.MaxProcs
            ? [PollerSelection.For(scheduler, shard % scheduler.MaxProcs)]
            : [.. PollerSelection.All(scheduler).Where((_, processor) => processor % shards == shard)];

    /// <summary>Another process accepts now. What this one has accepted already can still be taken.</summary>
    internal void HandedOver()
    {
        UnlinkOnClose = false;
        CloseShards();
    }

    /// <summary>Has its first accept, or its close without one, told to the process that handed it over.</summary>
    internal void ReportTo(HandOverReport report) => _report = report;

    private void ReportAccepting() => Interlocked.Exchange(ref _report, null)?.Accepting();

    private void ReportClosed() => Interlocked.Exchange(ref _report, null)?.Closed();
}
