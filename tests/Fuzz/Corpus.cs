using System.Text;

namespace NetGo.Fuzz;

/// <summary>Messages to begin with, and what to put into them.</summary>
internal static class Corpus
{
    public static byte[][] Messages { get; } = [.. ((string[])
    [
        "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /a/b%20c?d=e HTTP/1.1\r\nHost: example.com:80\r\nUser-Agent: fuzz\r\nAccept: */*\r\nConnection: keep-alive\r\n\r\n",
        "HEAD /head HTTP/1.1\r\nHost: h\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n",
        "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
        "CONNECT h:443 HTTP/1.1\r\nHost: h:443\r\n\r\n",
        "GET http://target.example/p?q HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET / HTTP/1.0\r\n\r\n",
        "\r\n\r\nPOST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\nhello world",
        "POST /1 HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\nhello worldGET /next HTTP/1.1\r\nHost: h\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;a=\"b\"\r\nhello\r\n006\r\n world\r\n0\r\nX: y\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\nGET /next HTTP/1.1\r\nHost: h\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nhello",
        "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /next HTTP/1.1\r\nHost: h\r\n\r\n",
        "GET /1 HTTP/1.1\r\nHost: h\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\nGET /3 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: [::1]:80\r\nCookie: a=b; c=d\r\nAccept-Encoding: gzip, br\r\nX: \t\x80\xff \r\nConnection: a, Close\r\n\r\n",
        "\r\n\r\n\r\n\r\nGET /4 HTTP/1.1\r\nHost: h\r\n\r\n\r\nGET /5 HTTP/1.1\r\nHost: h\r\n\r\n",
        "\r\n\r\n\r\n\r\n\r\nGET /too-many HTTP/1.1\r\nHost: h\r\n\r\n",
        "PUT /%c3%a9 HTTP/1.1\r\nhost:\r\nCONTENT-LENGTH:\t03\r\nconnection:\r\n\r\nabc",
    ]).Select(Encoding.Latin1.GetBytes)];

    /// <summary>Longer ones, which do not fit the server's first buffer, or its second.</summary>
    public static byte[][] LongMessages { get; } =
    [
        Long(5_000, 100),
        Long(100, 5_000),
        Long(15_000, 2_000),
    ];

    private static byte[] Long(int first, int second) => Encoding.Latin1.GetBytes(
        $"GET /1 HTTP/1.1\r\nHost: h\r\nX: {new string('x', first)}\r\n\r\n" +
        $"\r\nPOST /2 HTTP/1.1\r\nHost: h\r\nX: {new string('x', second)}\r\nContent-Length: 5\r\n\r\nhello" +
        $"POST /3 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5;{new string('x', second / 2)}\r\nhello\r\n0\r\n\r\n" +
        "GET /4 HTTP/1.1\r\nHost: h\r\n\r\n");

    public static byte[][] Dictionary { get; } = [.. ((string[])
    [
        "\r\n", "\n", "\r", "\r\n\r\n", " ", "\t", "\0", ":", ";", ",", "%", "#", "*", "\x7f", "\x80", "0", "-1", "+1", "0x5", "ffffffffffffffff", "18446744073709551616",
        "HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "HTTP/1.2", "Host: h\r\n", "Content-Length: 5\r\n", "Content-Length: 5, 5\r\n", "Transfer-Encoding: chunked\r\n",
        "Transfer-Encoding: identity\r\n", "Transfer-Encoding: gzip, chunked\r\n", "Transfer-Encoding : chunked\r\n", "Connection: close\r\n", "Expect: 100-continue\r\n",
        " folded\r\n", "http://h", "https://h/", "u@h", "[::1]", "0\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\n\r\n",
    ]).Select(Encoding.Latin1.GetBytes)];

    /// <summary>All ways to cut a message in two and, when it is short, in three, and that into single bytes.</summary>
    public static IEnumerable<int[]> EveryCut(byte[] input)
    {
        bool isShort = input.Length < 1000;
        for (int first = 0; first <= input.Length; first++)
        {
            yield return [first];
            for (int second = first; isShort && second <= input.Length; second++)
                yield return [first, second];
        }
        yield return [.. Enumerable.Range(0, input.Length)];
    }
}
