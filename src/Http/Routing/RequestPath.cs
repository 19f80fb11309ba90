namespace NetGo.Http;

/// <summary>
/// The canonical form of a request's path, escaped as it came: no empty, <c>.</c> or <c>..</c> segments (Go's cleanPath).
/// </summary>
internal static class RequestPath
{
    /// <summary>Whether <see cref="Clean"/> would change nothing. Allocates nothing.</summary>
    public static bool IsClean(ReadOnlySpan<byte> path)
    {
        if (path.IsEmpty || path[0] != '/' || path.IndexOf("//"u8) >= 0)
            return false;
        while (path.IndexOf("/."u8) is var dot and >= 0)
        {
            path = path[(dot + 1)..];
            int end = path.IndexOf((byte)'/');
            if ((end < 0 ? path : path[..end]) is [(byte)'.'] or [(byte)'.', (byte)'.'])
                return false;
        }

        return true;
    }

    /// <summary>
    /// The clean path: it starts with a slash, and ends with one if <paramref name="path"/> does. As in Go, and unlike RFC
    /// 3986's remove_dot_segments, <c>/a/b/..</c> becomes <c>/a</c>, without a slash at the end.
    /// </summary>
    public static byte[] Clean(ReadOnlySpan<byte> path)
    {
        byte[] clean = new byte[path.Length + 1];
        int length = 0;
        foreach (Range range in path.Split((byte)'/'))
        {
            ReadOnlySpan<byte> segment = path[range];
            if (segment is [] or [(byte)'.'])
                continue;
            if (segment is [(byte)'.', (byte)'.'])
            {
                length = Math.Max(0, clean.AsSpan(0, length).LastIndexOf((byte)'/'));
                continue;
            }

            clean[length++] = (byte)'/';
            segment.CopyTo(clean.AsSpan(length));
            length += segment.Length;
        }

        if (length == 0 || path[^1] == '/')
            clean[length++] = (byte)'/';
        return clean[..length];
    }
}
