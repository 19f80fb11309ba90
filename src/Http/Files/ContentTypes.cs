using System.Collections.Frozen;

namespace NetGo.Http;

/// <summary>Media types by file name extension: a table of its own, the same on every machine.</summary>
public static class ContentTypes
{
    private static readonly FrozenDictionary<string, string> s_types = new Dictionary<string, string>
    {
        [".html"] = "text/html; charset=utf-8", [".htm"] = "text/html; charset=utf-8", [".xhtml"] = "application/xhtml+xml",
        [".css"] = "text/css; charset=utf-8", [".js"] = "text/javascript; charset=utf-8", [".mjs"] = "text/javascript; charset=utf-8",
        [".json"] = "application/json", [".map"] = "application/json", [".jsonld"] = "application/ld+json",
        [".webmanifest"] = "application/manifest+json", [".wasm"] = "application/wasm",
        [".xml"] = "text/xml; charset=utf-8", [".xsl"] = "text/xml; charset=utf-8", [".rss"] = "application/rss+xml", [".atom"] = "application/atom+xml",
        [".txt"] = "text/plain; charset=utf-8", [".log"] = "text/plain; charset=utf-8", [".md"] = "text/markdown; charset=utf-8",
        [".csv"] = "text/csv; charset=utf-8", [".ics"] = "text/calendar; charset=utf-8", [".vtt"] = "text/vtt; charset=utf-8",
        [".yaml"] = "application/yaml", [".yml"] = "application/yaml", [".toml"] = "application/toml",
        [".png"] = "image/png", [".apng"] = "image/apng", [".jpg"] = "image/jpeg", [".jpeg"] = "image/jpeg", [".gif"] = "image/gif",
        [".webp"] = "image/webp", [".avif"] = "image/avif", [".svg"] = "image/svg+xml", [".ico"] = "image/x-icon", [".bmp"] = "image/bmp",
        [".tif"] = "image/tiff", [".tiff"] = "image/tiff", [".heic"] = "image/heic", [".jxl"] = "image/jxl",
        [".woff"] = "font/woff", [".woff2"] = "font/woff2", [".ttf"] = "font/ttf", [".otf"] = "font/otf", [".ttc"] = "font/collection",
        [".eot"] = "application/vnd.ms-fontobject",
        [".mp3"] = "audio/mpeg", [".m4a"] = "audio/mp4", [".aac"] = "audio/aac", [".ogg"] = "audio/ogg", [".oga"] = "audio/ogg",
        [".opus"] = "audio/ogg", [".wav"] = "audio/wav", [".flac"] = "audio/flac", [".weba"] = "audio/webm", [".mid"] = "audio/midi",
        [".mp4"] = "video/mp4", [".m4v"] = "video/mp4", [".webm"] = "video/webm", [".ogv"] = "video/ogg", [".mov"] = "video/quicktime",
        [".avi"] = "video/x-msvideo", [".mpeg"] = "video/mpeg", [".mpg"] = "video/mpeg", [".mkv"] = "video/x-matroska",
        [".m3u8"] = "application/vnd.apple.mpegurl", [".mpd"] = "application/dash+xml",
        [".pdf"] = "application/pdf", [".rtf"] = "application/rtf", [".epub"] = "application/epub+zip",
        [".doc"] = "application/msword", [".docx"] = "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        [".xls"] = "application/vnd.ms-excel", [".xlsx"] = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        [".ppt"] = "application/vnd.ms-powerpoint", [".pptx"] = "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        [".zip"] = "application/zip", [".gz"] = "application/gzip", [".tar"] = "application/x-tar", [".bz2"] = "application/x-bzip2",
        [".xz"] = "application/x-xz", [".zst"] = "application/zstd", [".7z"] = "application/x-7z-compressed", [".rar"] = "application/vnd.rar",
        [".jar"] = "application/java-archive", [".apk"] = "application/vnd.android.package-archive", [".bin"] = "application/octet-stream",
        [".exe"] = "application/octet-stream", [".dll"] = "application/octet-stream", [".iso"] = "application/octet-stream",
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    /// <summary>The media type for a file name's extension, or null; Go's mime.TypeByExtension, but of a fixed table.</summary>
    /// <param name="fileName">For example "index.html".</param>
    public static string? ByFileName(string fileName)
    {
        ArgumentNullException.ThrowIfNull(fileName);
        return s_types.GetValueOrDefault(Path.GetExtension(fileName));
    }
}
