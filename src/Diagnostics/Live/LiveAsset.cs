using System.Reflection;
using System.Text;

namespace NetGo.Diagnostics;

/// <summary>A file that the live page consists of, as it is in the assembly.</summary>
/// <param name="Name">As in "page.js".</param>
/// <param name="ContentType">Its media type.</param>
/// <param name="Content">All of it.</param>
internal sealed record LiveAsset(string Name, string ContentType, ReadOnlyMemory<byte> Content)
{
    private const string Prefix = "Live/";
    private const string PageName = "page.html";
    private const string NoncePlace = "{nonce}";

    private static readonly string s_page = Encoding.UTF8.GetString(Read(PageName));

    /// <summary>Those that the page asks for.</summary>
    public static IReadOnlyList<LiveAsset> All { get; } =
    [
        .. typeof(LiveAsset).Assembly.GetManifestResourceNames()
            .Where(static name => name.StartsWith(Prefix, StringComparison.Ordinal) && !name.EndsWith(PageName, StringComparison.Ordinal))
            .Select(static name => name[Prefix.Length..])
            .Select(static name => new LiveAsset(name, TypeOf(name), Read(name))),
    ];

    /// <summary>The page itself.</summary>
    /// <param name="nonce">What its scripts and styles are let in by.</param>
    public static ReadOnlyMemory<byte> PageWith(string nonce) => Encoding.UTF8.GetBytes(s_page.Replace(NoncePlace, nonce, StringComparison.Ordinal));

    private static string TypeOf(string name) => Path.GetExtension(name) switch
    {
        ".js" => "text/javascript; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        _ => "application/octet-stream",
    };

    private static byte[] Read(string name)
    {
        using Stream resource = Assembly.GetExecutingAssembly().GetManifestResourceStream(Prefix + name)
            ?? throw new InvalidOperationException($"The assembly was built without {name}.");
        byte[] content = new byte[resource.Length];
        resource.ReadExactly(content);
        return content;
    }
}
