using System.Buffers;
using System.Text;

namespace Resp.Tests;

public class RespParserTests
{
    private static readonly RespLimits s_limits = new() { MaxBulkLength = 100, MaxArguments = 10, MaxCommandLength = 300, MaxInlineLength = 64 };

    // Commands of all kinds one behind another, and what they are.
    private const string Stream =
        "*1\r\n$4\r\nPING\r\n" + "*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$0\r\n\r\n" + "GET k\r\n" + "*0\r\n" + "\r\n" + "*-1\r\n" +
        "*2\r\n$4\r\nECHO\r\n$11\r\n\r\n$3\r\n*1\r\n\0\r\n" + "set \"a b\" 'c d'\n" + "*2\r\n$3\r\nGET\r\n$20\r\n01234567890123456789\r\n";

    private static readonly string[] s_commands =
        ["PING", "SET|k|", "GET|k", "ECHO|\r\n$3\r\n*1\r\n\0", "set|a b|c d", "GET|01234567890123456789"];

    private static string TextOf(RespParser parser)
    {
        var arguments = new string[parser.Count];
        for (int i = 0; i < arguments.Length; i++)
            arguments[i] = Encoding.Latin1.GetString(parser[i]);
        return string.Join('|', arguments);
    }

    private static List<string> ParseAll(RespParser parser, ref ReadOnlySequence<byte> input)
    {
        var commands = new List<string>();
        while (parser.TryParse(ref input))
            commands.Add(TextOf(parser));
        parser.Release();
        return commands;
    }

    [Fact]
    public void Commands_are_found_in_one_piece()
    {
        ReadOnlySequence<byte> input = Pieces.Cut(Pieces.Of(Stream));
        Assert.Equal(s_commands, ParseAll(new RespParser(s_limits), ref input));
        Assert.True(input.IsEmpty);
    }

    [Fact]
    public void It_does_not_matter_where_buffers_end()
    {
        byte[] bytes = Pieces.Of(Stream);
        for (int first = 0; first <= bytes.Length; first++)
        {
            for (int second = first; second <= bytes.Length; second++)
            {
                ReadOnlySequence<byte> input = Pieces.Cut(bytes, first, second);
                Assert.Equal(s_commands, ParseAll(new RespParser(s_limits), ref input));
                Assert.True(input.IsEmpty);
            }
        }
    }

    [Fact]
    public void It_does_not_matter_when_bytes_come()
    {
        byte[] bytes = Pieces.Of(Stream);
        for (int step = 1; step <= bytes.Length; step++)
        {
            var parser = new RespParser(s_limits);
            var commands = new List<string>();
            int consumed = 0;
            for (int end = Math.Min(step, bytes.Length); ; end = Math.Min(end + step, bytes.Length))
            {
                // In one piece and in two by turns: buffers may have moved meanwhile.
                byte[] pending = bytes[consumed..end];
                ReadOnlySequence<byte> input = end % 2 == 0 ? Pieces.Cut(pending) : Pieces.Cut(pending, pending.Length / 2);
                commands.AddRange(ParseAll(parser, ref input));
                consumed = end - (int)input.Length;
                if (end == bytes.Length)
                    break;
            }
            Assert.Equal(s_commands, commands);
            Assert.Equal(bytes.Length, consumed);
        }
    }

    [Fact]
    public void A_command_that_is_not_whole_is_not_given()
    {
        byte[] bytes = Pieces.Of("*2\r\n$3\r\nGET\r\n$3\r\nkey\r\n");
        for (int length = 0; length < bytes.Length; length++)
        {
            ReadOnlySequence<byte> input = Pieces.Cut(bytes[..length]);
            Assert.False(new RespParser(s_limits).TryParse(ref input));
            Assert.Equal(length, input.Length); // nothing of it is consumed
        }
    }

    [Theory]
    [InlineData("*x\r\n", "invalid multibulk length")]
    [InlineData("*\r\n", "invalid multibulk length")]
    [InlineData("*+1\r\n", "invalid multibulk length")]
    [InlineData("*1 \r\n", "invalid multibulk length")]
    [InlineData("*1\n", "invalid multibulk length")]
    [InlineData("*11\r\n", "invalid multibulk length")]
    [InlineData("*99999999999999999999\r\n", "invalid multibulk length")]
    [InlineData("*0000000000000000000000000000000000000001\r\n", "too big mbulk count string")]
    [InlineData("*1\r\n*1\r\n", "expected '$', got '*'")]
    [InlineData("*1\r\nPING\r\n", "expected '$', got 'P'")]
    [InlineData("*1\r\n\u0001", "expected '$', got '?'")]
    [InlineData("*1\r\n$-1\r\n", "invalid bulk length")]
    [InlineData("*1\r\n$101\r\n", "invalid bulk length")]
    [InlineData("*1\r\n$4294967297\r\n", "invalid bulk length")]
    [InlineData("*1\r\n$\r\n", "invalid bulk length")]
    [InlineData("*1\r\n$4\r\nPINGxx", "invalid bulk length")]
    [InlineData("*1\r\n$4\r\nPING\n\r", "invalid bulk length")]
    [InlineData("*1\r\n$0000000000000000000000000000000000000004", "too big bulk count string")]
    [InlineData("set \"a\r\n", "unbalanced quotes in request")]
    [InlineData("set 'a'b\r\n", "unbalanced quotes in request")]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123456789", "too big inline request")]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123456789\r\n", "too big inline request")]
    public void What_is_no_command_is_refused_in_Rediss_words_wherever_it_is_cut(string text, string error)
    {
        byte[] bytes = Pieces.Of("*1\r\n$4\r\nPING\r\n" + text);
        for (int cut = 0; cut <= bytes.Length; cut++)
        {
            var parser = new RespParser(s_limits);
            ReadOnlySequence<byte> input = Pieces.Cut(bytes, cut);
            Assert.True(parser.TryParse(ref input));
            Assert.Equal(error, Assert.Throws<RespProtocolException>(() => parser.TryParse(ref input)).Message);
        }
    }

    [Fact]
    public void The_whole_command_has_a_limit_too()
    {
        string argument = $"$100\r\n{new string('x', 100)}\r\n";
        ReadOnlySequence<byte> input = Pieces.Cut(Pieces.Of($"*3\r\n{argument}{argument}{argument}"));
        Assert.Throws<RespProtocolException>(() => new RespParser(s_limits).TryParse(ref input));
        input = Pieces.Cut(Pieces.Of($"*2\r\n{argument}{argument}"));
        Assert.True(new RespParser(s_limits).TryParse(ref input));
    }

    [Fact]
    public void A_limit_is_allowed_itself()
    {
        ReadOnlySequence<byte> input = Pieces.Cut(Pieces.Of($"*10\r\n$100\r\n{new string('x', 100)}\r\n{string.Concat(Enumerable.Repeat("$1\r\n.\r\n", 9))}"));
        var parser = new RespParser(s_limits);
        Assert.True(parser.TryParse(ref input));
        Assert.Equal(10, parser.Count);
    }

    [Theory]
    [InlineData("a  b\tc ", "a|b|c")]
    [InlineData("  ", "")]
    [InlineData("\"\" ''", "|")]
    [InlineData("\"a\\n\\x41\\xfF\\\"\\q\"", "a\nA\u00ff\"q")]
    [InlineData("'a\\n\\'b'", "a\\n'b")]
    [InlineData("a\"b c\"", "ab c")]
    [InlineData("\"\\x4\" x", "x4|x")]
    [InlineData("\"\\", null)]
    [InlineData("\"a\"b", null)]
    public void Inline_arguments_are_split_as_Redis_does(string line, string? expected)
    {
        byte[] bytes = Pieces.Of(line);
        var arguments = new List<string>();
        bool isWell = InlineArguments.TrySplit(bytes, (start, length) => arguments.Add(Encoding.Latin1.GetString(bytes, start, length)));
        Assert.Equal(expected, isWell ? string.Join('|', arguments) : null);
    }

    [Fact]
    public void Random_bytes_never_do_more_than_be_refused()
    {
        var random = new Random(1);
        byte[] alphabet = Pieces.Of("*$0123-\r\n\"'\\x aPING");
        for (int turn = 0; turn < 100_000; turn++)
        {
            byte[] bytes = random.GetItems(alphabet, random.Next(40));
            string whole = Outcome(Pieces.Cut(bytes));
            int cut = random.Next(bytes.Length + 1);
            Assert.Equal(whole, Outcome(Pieces.Cut(bytes, cut)));
        }

        static string Outcome(ReadOnlySequence<byte> input)
        {
            var parser = new RespParser(s_limits);
            var outcome = new StringBuilder();
            try
            {
                while (parser.TryParse(ref input))
                    outcome.Append(TextOf(parser)).Append(';');
                return outcome.Append(null, $"{input.Length} left").ToString();
            }
            catch (RespProtocolException e)
            {
                return outcome.Append(e.Message).ToString();
            }
        }
    }
}
