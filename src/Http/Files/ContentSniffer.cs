using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace NetGo.Http;

/// <summary>Tells the type of a content by its first bytes, by the algorithm of the WHATWG's MIME Sniffing standard
/// (https://mimesniff.spec.whatwg.org/), for what no file name or handler says.</summary>
public static class ContentSniffer
{
    /// <summary>How many bytes are looked at: 512.</summary>
    public const int SniffLength = 512;

    private const string Unknown = "application/octet-stream";

    // Bytes that no text has: controls but for HT, LF, FF, CR and ESC.
    private static readonly SearchValues<byte> s_binary = SearchValues.Create(
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 0x0b, 0x0e, 0x0f, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1c, 0x1d, 0x1e, 0x1f]);

    private static readonly string[] s_htmlTags =
        ["<!DOCTYPE HTML", "<HTML", "<HEAD", "<SCRIPT", "<IFRAME", "<H1", "<DIV", "<FONT", "<TABLE", "<A", "<STYLE", "<TITLE", "<B", "<BODY", "<BR", "<P"];

    // Section 6: in this order. A text after the offset, and the type.
    private static readonly (int Offset, byte[] Magic, string Type)[] s_signatures =
    [
        (0, "%PDF-"u8.ToArray(), "application/pdf"),
        (0, "%!PS-Adobe-"u8.ToArray(), "application/postscript"),
        (0, [0xfe, 0xff], "text/plain; charset=utf-16be"),
        (0, [0xff, 0xfe], "text/plain; charset=utf-16le"),
        (0, [0xef, 0xbb, 0xbf], "text/plain; charset=utf-8"),
        (0, [0, 0, 1, 0], "image/x-icon"),
        (0, [0, 0, 2, 0], "image/x-icon"),
        (0, "BM"u8.ToArray(), "image/bmp"),
        (0, "GIF87a"u8.ToArray(), "image/gif"),
        (0, "GIF89a"u8.ToArray(), "image/gif"),
        (8, "WEBPVP"u8.ToArray(), "image/webp"),
        (0, [0x89, .. "PNG\r\n"u8, 0x1a, 0x0a], "image/png"),
        (0, [0xff, 0xd8, 0xff], "image/jpeg"),
        (8, "AIFF"u8.ToArray(), "audio/aiff"),
        (0, "ID3"u8.ToArray(), "audio/mpeg"),
        (0, "OggS\0"u8.ToArray(), "application/ogg"),
        (0, [.. "MThd"u8, 0, 0, 0, 6], "audio/midi"),
        (8, "AVI "u8.ToArray(), "video/avi"),
        (8, "WAVE"u8.ToArray(), "audio/wave"),
        (0, [0x1a, 0x45, 0xdf, 0xa3], "video/webm"),
        (34, "LP"u8.ToArray(), "application/vnd.ms-fontobject"),
        (0, [0, 1, 0, 0], "font/ttf"),
        (0, "OTTO"u8.ToArray(), "font/otf"),
        (0, "ttcf"u8.ToArray(), "font/collection"),
        (0, "wOFF"u8.ToArray(), "font/woff"),
        (0, "wOF2"u8.ToArray(), "font/woff2"),
        (0, [0x1f, 0x8b, 8], "application/x-gzip"),
        (0, [.. "PK"u8, 3, 4], "application/zip"),
        (0, [.. "Rar!"u8, 0x1a, 7, 0], "application/x-rar-compressed"),
        (0, [.. "Rar!"u8, 0x1a, 7, 1, 0], "application/x-rar-compressed"),
        (0, [0, .. "asm"u8], "application/wasm"),
    ];

    /// <summary>The media type of a content; always one: "application/octet-stream" when nothing fits. Go's http.DetectContentType.</summary>
    /// <param name="content">Its beginning. No more than <see cref="SniffLength"/> bytes are looked at.</param>
    public static string DetectContentType(ReadOnlySpan<byte> content)
    {
        content = content[..Math.Min(content.Length, SniffLength)];
        ReadOnlySpan<byte> text = content.TrimStart("\t\n\f\r "u8);
        foreach (string tag in s_htmlTags)
        {
            // What follows the tag's name must end it.
            if (text.Length > tag.Length && text[tag.Length] is (byte)' ' or (byte)'>' && Ascii.EqualsIgnoreCase(text[..tag.Length], tag))
                return "text/html; charset=utf-8";
        }
        if (text.StartsWith("<!--"u8))
            return "text/html; charset=utf-8";
        if (text.StartsWith("<?xml"u8))
            return "text/xml; charset=utf-8";
        foreach ((int offset, byte[] magic, string type) in s_signatures)
        {
            if (content.Length >= offset + magic.Length && content[offset..].StartsWith(magic) && HasContainer(content, offset, type))
                return type;
        }
        if (IsMp4(content))
            return "video/mp4";
        return content.ContainsAny(s_binary) ? Unknown : "text/plain; charset=utf-8";
    }

    // The magic at byte 8 is the form of a container, which is named at byte 0; a byte-order mark needs two bytes more, which may be any.
    private static bool HasContainer(ReadOnlySpan<byte> content, int offset, string type) => (offset, type) switch
    {
        (8, "audio/aiff") => content.StartsWith("FORM"u8),
        (8, _) => content.StartsWith("RIFF"u8),
        (_, "text/plain; charset=utf-16be" or "text/plain; charset=utf-16le") => content.Length >= 4,
        _ => true,
    };

    // Section 6.2.1: a box "ftyp" with a brand that begins with "mp4". Bytes 12 to 15 are a version and no brand.
    private static bool IsMp4(ReadOnlySpan<byte> content)
    {
        if (content.Length < 12 || !content[4..].StartsWith("ftyp"u8))
            return false;
        uint size = BinaryPrimitives.ReadUInt32BigEndian(content);
        if (size > content.Length || size % 4 != 0)
            return false;
        for (int i = 8; i < size; i += 4)
        {
            if (i != 12 && content[i..].StartsWith("mp4"u8))
                return true;
        }
        return false;
    }
}
