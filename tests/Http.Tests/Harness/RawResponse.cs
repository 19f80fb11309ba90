using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace NetGo.Http.Tests;

/// <summary>A response as it came over the wire.</summary>
internal sealed partial class RawResponse
{
    public required string Version { get; init; }

    public required int StatusCode { get; init; }

    public List<KeyValuePair<string, string>> Fields { get; } = [];

    public List<KeyValuePair<string, string>> Trailer { get; } = [];

    public byte[] Content { get; set; } = [];

    /// <summary>False when the connection ended before the content that the framing promised.</summary>
    public bool IsComplete { get; set; } = true;

    /// <summary>The content had no framing but the end of the connection.</summary>
    public bool EndedByClose { get; set; }

    public int ChunkCount { get; set; }

    public string Text => Encoding.Latin1.GetString(Content);

    public bool HasConnectionClose => GetAll("Connection").Any(value => value.Contains("close", StringComparison.OrdinalIgnoreCase));

    /// <summary>RFC 9112, section 4: HTTP-version SP status-code SP [ reason-phrase ].</summary>
    public static RawResponse FromStatusLine(string line)
    {
        Match match = StatusLine().Match(line);
        Assert.True(match.Success, "Not a legal status line: " + line);
        return new()
        {
            Version = match.Groups[1].Value,
            StatusCode = int.Parse(match.Groups[2].Value, NumberStyles.None, CultureInfo.InvariantCulture),
        };
    }

    public bool Has(string name) => GetAll(name).Count > 0;

    /// <summary>The only value of a field, or null.</summary>
    public string? Get(string name)
    {
        List<string> values = GetAll(name);
        Assert.True(values.Count <= 1, $"{values.Count} fields {name}");
        return values.Count == 0 ? null : values[0];
    }

    public List<string> GetAll(string name) =>
        [.. Fields.Where(field => field.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(field => field.Value)];

    [GeneratedRegex(@"^(HTTP/1\.[01]) ([1-9][0-9]{2}) [\t \x21-\x7e\x80-\xff]*$")]
    private static partial Regex StatusLine();
}
