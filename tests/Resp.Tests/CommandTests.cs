using System.Buffers;
using System.Text;

namespace Resp.Tests;

public class CommandTests
{
    private readonly Clock _clock = new();
    private readonly Store _store;
    private readonly CommandTable _commands;

    public CommandTests()
    {
        _store = new Store(_clock);
        _commands = new CommandTable(_store);
    }

    private sealed class Clock : TimeProvider
    {
        public DateTimeOffset Now = DateTimeOffset.UnixEpoch;

        public override DateTimeOffset GetUtcNow() => Now;
    }

    private sealed class Connection
    {
        public readonly ArrayBufferWriter<byte> Output = new();
        public readonly RespSession Session;

        public Connection() => Session = new RespSession(new RespWriter(Output));
    }

    /// <summary>The reply to an inline command, its line ends as '|'.</summary>
    private string Reply(string command, Connection? connection = null)
    {
        connection ??= new Connection();
        connection.Output.ResetWrittenCount();
        var parser = new RespParser(new RespLimits());
        var input = new ReadOnlySequence<byte>(Pieces.Of(command + "\r\n"));
        Assert.True(parser.TryParse(ref input));
        _commands.Execute(parser, connection.Session);
        return Encoding.Latin1.GetString(connection.Output.WrittenSpan).Replace("\r\n", "|", StringComparison.Ordinal);
    }

    // Given one after another, with what Redis 7.0 replies; but there is one database, few settings, and nothing is told of commands.
    [Theory]
    [InlineData("PING", "+PONG|", "ping hello", "$5|hello|", "PING a b", "-ERR wrong number of arguments for 'ping' command|")]
    [InlineData("ECHO x", "$1|x|", "ECHO", "-ERR wrong number of arguments for 'echo' command|")]
    [InlineData("GET k", "$-1|", "SET k v", "+OK|", "GET k", "$1|v|", "EXISTS k k nil", ":2|", "DEL k k nil", ":1|", "GET k", "$-1|")]
    [InlineData("SET k 1 XX", "$-1|", "SET k 1 NX", "+OK|", "SET k 2 nx", "$-1|", "SET k 2 xx", "+OK|", "GET k", "$1|2|")]
    [InlineData("SET k v NX XX", "-ERR syntax error|", "SET k v EX", "-ERR syntax error|", "SET k v EX 1 PX 1", "-ERR syntax error|",
        "SET k v EX 0", "-ERR invalid expire time in 'set' command|", "SET k v PX -1", "-ERR invalid expire time in 'set' command|",
        "SET k v EX x", "-ERR value is not an integer or out of range|", "SET k v EX 9223372036854775807", "-ERR invalid expire time in 'set' command|")]
    [InlineData("INCR n", ":1|", "INCRBY n 41", ":42|", "DECR n", ":41|", "DECRBY n -9", ":50|", "GET n", "$2|50|", "INCRBY n x", "-ERR value is not an integer or out of range|")]
    [InlineData("SET n 9223372036854775807", "+OK|", "INCR n", "-ERR increment or decrement would overflow|", "GET n", "$19|9223372036854775807|",
        "SET n ' 1'", "+OK|", "INCR n", "-ERR value is not an integer or out of range|", "SET n 01", "+OK|", "INCR n", "-ERR value is not an integer or out of range|",
        "DECRBY n -9223372036854775808", "-ERR decrement would overflow|")]
    [InlineData("MSET a 1 b 2", "+OK|", "MGET a nil b", "*3|$1|1|$-1|$1|2|", "MSET a 1 b", "-ERR wrong number of arguments for 'mset' command|", "DBSIZE", ":2|",
        "FLUSHDB", "+OK|", "DBSIZE", ":0|", "FLUSHDB async", "+OK|", "FLUSHDB x", "-ERR syntax error|")]
    [InlineData("APPEND k ab", ":2|", "APPEND k \"\\x00c\"", ":4|", "STRLEN k", ":4|", "STRLEN nil", ":0|", "GET k", "$4|ab\0c|")]
    [InlineData("TTL nil", ":-2|", "SET k v", "+OK|", "TTL k", ":-1|", "EXPIRE k 10", ":1|", "TTL k", ":10|", "PTTL k", ":10000|", "PERSIST k", ":1|",
        "PERSIST k", ":0|", "TTL k", ":-1|", "EXPIRE k -1", ":1|", "EXISTS k", ":0|", "EXPIRE k 1", ":0|", "PEXPIRE k x", "-ERR value is not an integer or out of range|")]
    [InlineData("SET k v EX 100", "+OK|", "APPEND k w", ":2|", "TTL k", ":100|", "SET k v", "+OK|", "TTL k", ":-1|")]
    [InlineData("MSET one 1", "+OK|", "KEYS *", "*1|$3|one|", "KEYS o?e", "*1|$3|one|", "KEYS x*", "*0|")]
    [InlineData("SELECT 0", "+OK|", "SELECT 1", "-ERR DB index is out of range|", "SELECT x", "-ERR value is not an integer or out of range|")]
    [InlineData("COMMAND", "*0|", "COMMAND DOCS", "*0|", "CONFIG GET save", "*2|$4|save|$0||", "CONFIG GET app*", "*2|$10|appendonly|$2|no|", "CONFIG GET x", "*0|",
        "CONFIG SET a b", "-ERR unknown subcommand 'SET'.|")]
    [InlineData("NOPE a 'b\\\"c'", "-ERR unknown command 'NOPE', with args beginning with: 'a' 'b\\\"c' |", "GET", "-ERR wrong number of arguments for 'get' command|",
        "\"a\\r\\nb\"", "-ERR unknown command 'a b', with args beginning with: |")]
    public void Commands_reply_as_Redis_does(params string[] talk)
    {
        for (int i = 0; i < talk.Length; i += 2)
            Assert.Equal($"{talk[i]} -> {talk[i + 1]}", $"{talk[i]} -> {Reply(talk[i])}");
    }

    [Fact]
    public void A_key_is_gone_when_its_time_is_over()
    {
        Reply("SET a 1 PX 1500");
        Reply("SET b 1 EX 1");
        Reply("SET c 1");
        _clock.Now += TimeSpan.FromMilliseconds(1000);
        Assert.Equal("*3|$1|1|$-1|$1|1|", Reply("MGET a b c"));
        Assert.Equal(":1|", Reply("TTL a")); // rounded
        Assert.Equal("+OK|", Reply("SET b 2 NX"));
        _clock.Now += TimeSpan.FromMilliseconds(500);
        Assert.Equal(":3|", Reply("DBSIZE")); // nobody has come upon it
        Assert.Equal("*2", Reply("KEYS *")[..2]);
        _store.RemoveExpired();
        Assert.Equal(":2|", Reply("DBSIZE"));
        Assert.Equal(":0|", Reply("DEL a"));
        Reply("SET n 5 PX 10");
        _clock.Now += TimeSpan.FromMilliseconds(10);
        Assert.Equal(":1|", Reply("INCR n"));
        Assert.Equal(":-1|", Reply("TTL n"));
    }

    [Fact]
    public void Hello_changes_the_protocol()
    {
        var connection = new Connection();
        Assert.StartsWith("*14|$6|server|", Reply("HELLO", connection), StringComparison.Ordinal);
        Assert.Equal("-NOPROTO unsupported protocol version|", Reply("HELLO 4", connection));
        Assert.Equal("-ERR Protocol version is not an integer or out of range|", Reply("HELLO x", connection));
        Assert.StartsWith("-ERR Syntax error in HELLO option 'AUTH'", Reply("HELLO 3 AUTH u p", connection), StringComparison.Ordinal);
        Assert.Equal("$-1|", Reply("GET k", connection));
        Assert.StartsWith("%7|$6|server|", Reply("HELLO 3", connection), StringComparison.Ordinal);
        Assert.Contains("$5|proto|:3|", Reply("HELLO", connection), StringComparison.Ordinal);
        Assert.Equal("_|", Reply("GET k", connection));
        Assert.Equal("%1|$4|save|$0||", Reply("CONFIG GET save", connection));
        Assert.StartsWith("*14|", Reply("HELLO 2 SETNAME me", connection), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("QUIT", "+OK|")]
    [InlineData("POST / HTTP/1.1", "")]
    [InlineData("Host: localhost", "")]
    public void Some_commands_end_the_connection(string command, string reply)
    {
        var connection = new Connection();
        Assert.Equal(reply, Reply(command, connection));
        Assert.True(connection.Session.HasEnded);
    }

    [Theory]
    [InlineData("*", "", true)]
    [InlineData("**a*", "bab", true)]
    [InlineData("a*b*c", "a1b2b3c", true)]
    [InlineData("a*b", "ab1", false)]
    [InlineData("h?llo", "hllo", false)]
    [InlineData("h[ae]llo", "hallo", true)]
    [InlineData("h[^e]llo", "hello", false)]
    [InlineData("h[a-c]llo", "hbllo", true)]
    [InlineData("h[c-a]llo", "hbllo", true)]
    [InlineData("h[\\]]llo", "h]llo", true)]
    [InlineData("\\*", "*", true)]
    [InlineData("\\*", "x", false)]
    [InlineData("[ab", "b", true)]
    [InlineData("[]", "x", false)]
    [InlineData("a*a*a*a*a*a*a*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false)]
    public void Patterns_match(string pattern, string text, bool matches) =>
        Assert.Equal(matches, GlobPattern.IsMatch(Pieces.Of(pattern), Pieces.Of(text)));

    [Fact]
    public async Task Commands_on_several_keys_are_atomic()
    {
        const int Turns = 2_000;
        Reply("MSET a 0 b 0");
        Task[] writers = [.. Enumerable.Range(0, 4).Select(w => Task.Run(() =>
        {
            for (int i = 0; i < Turns; i++)
            {
                Reply(w % 2 == 0 ? $"MSET a {w}{i} b {w}{i}" : $"MSET b {w}{i} a {w}{i}");
                Reply("INCR n");
            }
        }))];
        var all = Task.WhenAll(writers);
        while (!all.IsCompleted)
        {
            string[] parts = Reply("MGET a b").Split('|');
            Assert.Equal(parts[2], parts[4]);
        }
        await all;
        Assert.Equal($"$4|{4 * Turns}|", Reply("GET n"));
    }

    [Fact]
    public void Long_values_are_written_whole()
    {
        string value = new('x', 100_000);
        Reply($"SET k {value[..30_000]}");
        for (int i = 30_000; i < value.Length; i += 10_000)
            Reply($"APPEND k {value[i..(i + 10_000)]}");
        Assert.Equal($"$100000|{value}|", Reply("GET k"));
    }
}
