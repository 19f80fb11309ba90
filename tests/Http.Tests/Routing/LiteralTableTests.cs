using System.Text;

namespace NetGo.Http.Tests.Routing;

public class LiteralTableTests
{
    [Fact]
    public void Finds_what_was_added_and_nothing_else()
    {
        var table = new LiteralTable<string>();
        Assert.Null(table.Find(""u8));
        Assert.Equal(-1, table.LongestKey);
        // Of all lengths around the hash's words, and alike but for one byte in the middle.
        string[] keys = [.. Enumerable.Range(0, 40).Select(length => new string('k', length)),
            .. Enumerable.Range(0, 500).Select(number => $"/common/prefix/{number}/common/suffix")];

        foreach (string key in keys)
            table.Add(Encoding.ASCII.GetBytes(key), key);

        Assert.Equal(keys.Length, table.Count);
        Assert.Equal(keys.Max(key => key.Length), table.LongestKey);
        foreach (string key in keys)
        {
            Assert.Same(key, table.Find(Encoding.ASCII.GetBytes(key)));
            Assert.Null(table.Find(Encoding.ASCII.GetBytes(key + "-")));
        }

        Assert.Null(table.Find("/common/prefix/500/common/suffix"u8));
    }

    [Fact]
    public void Keys_of_one_hash_are_told_apart()
    {
        // Among 600,000 keys some 40 pairs share their 32 bits.
        var seen = new Dictionary<uint, string>();
        string[] keys = [.. Enumerable.Range(0, 600_000).Select(number => $"/key/number/{number}")];
        string other = keys.First(key => !seen.TryAdd(LiteralTable<string>.Hash(Encoding.ASCII.GetBytes(key)), key));
        string one = seen[LiteralTable<string>.Hash(Encoding.ASCII.GetBytes(other))];
        var table = new LiteralTable<string>();

        table.Add(Encoding.ASCII.GetBytes(one), one);

        Assert.Null(table.Find(Encoding.ASCII.GetBytes(other)));
        table.Add(Encoding.ASCII.GetBytes(other), other);
        Assert.Same(one, table.Find(Encoding.ASCII.GetBytes(one)));
        Assert.Same(other, table.Find(Encoding.ASCII.GetBytes(other)));
    }
}
