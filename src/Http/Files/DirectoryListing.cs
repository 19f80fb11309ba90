using System.Net;
using System.Text;

namespace NetGo.Http;

/// <summary>The page that lists a directory: names in order, as links; what is not served is not listed.</summary>
internal static class DirectoryListing
{
    public static byte[] Make(FoundFile directory, FileServerOptions options)
    {
        var names = new List<string>();
        bool more = false;
        foreach (FileSystemInfo entry in new DirectoryInfo(directory.EnumerationPath).EnumerateFileSystemInfos())
        {
            if (!FilePath.IsServed(entry.Name, options) || entry.Name.Contains('\\', StringComparison.Ordinal))
                continue;
            more = names.Count == options.MaxListedNames;
            if (more)
                break;
            names.Add((entry.Attributes & FileAttributes.Directory) != 0 ? entry.Name + "/" : entry.Name);
        }
        names.Sort(StringComparer.Ordinal);
        var page = new StringBuilder("<!doctype html>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<pre>\n");
        foreach (string name in names)
            page.Append("<a href=\"").Append(Escape(name)).Append("\">").Append(WebUtility.HtmlEncode(name)).Append("</a>\n");
        return Encoding.UTF8.GetBytes(page.Append(more ? "&hellip; and more\n</pre>\n" : "</pre>\n").ToString());
    }

    /// <summary>A name as a reference that is relative to its directory, but for a slash at its end: all but unreserved characters are
    /// escaped, so that it can be no scheme, no host and no markup.</summary>
    public static string Escape(string name) => name.EndsWith('/') ? Uri.EscapeDataString(name[..^1]) + "/" : Uri.EscapeDataString(name);
}
