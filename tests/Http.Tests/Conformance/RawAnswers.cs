using System.Text;

namespace NetGo.Http.Tests;

/// <summary>What a server sends on one connection, byte for byte.</summary>
internal static class RawAnswers
{
    /// <summary>All that comes back for these bytes when nothing follows them, as Latin-1.</summary>
    public static string AllFor(this TestServer server, string bytes)
    {
        using RawClient client = server.Connect();
        client.SendAnyway(bytes);
        client.HalfClose();
        return Encoding.Latin1.GetString(client.ReadToEnd());
    }

    /// <summary>The lines of the first head of an answer, the status line first.</summary>
    public static string[] HeadLines(string answer)
    {
        int end = answer.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        Assert.True(end > 0, "No whole head: " + answer);
        return answer[..end].Split("\r\n");
    }

    /// <summary>How many final or interim responses there are.</summary>
    public static int CountOfHeads(string answer) => answer.Split("HTTP/1.").Length - 1;

    /// <summary>The members of a list-based field, the empty ones too.</summary>
    public static string[] Members(RawResponse response, string name) =>
        response.Has(name) ? [.. string.Join(',', response.GetAll(name)).Split(',').Select(static member => member.Trim(' ', '\t'))] : [];
}
