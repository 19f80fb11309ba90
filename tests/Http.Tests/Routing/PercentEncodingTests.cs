using System.Buffers;
using System.Text;

namespace NetGo.Http.Tests.Routing;

public class PercentEncodingTests
{
    [Fact]
    public void Every_byte_comes_back_in_either_case_of_digits()
    {
        var decoded = new byte[1];
        for (int value = 0; value < 256; value++)
        {
            foreach (string format in (string[])["X2", "x2"])
            {
                byte[] escaped = Encoding.ASCII.GetBytes("%" + value.ToString(format, null));
                Assert.Equal(OperationStatus.Done, PercentEncoding.Decode(escaped, decoded, out int written));
                Assert.Equal(1, written);
                Assert.Equal(value, decoded[0]);
            }
        }
    }

    [Theory]
    [InlineData("%")]
    [InlineData("a%4")]
    [InlineData("%4g")]
    [InlineData("%g4")]
    [InlineData("%%41")]
    [InlineData("% 1")]
    public void A_percent_sign_without_two_digits_is_malformed_and_kept(string text)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(text);

        Assert.Equal(OperationStatus.InvalidData, PercentEncoding.Decode(bytes, new byte[16], out _));
        Assert.Equal(text, PercentEncoding.DecodeToString(bytes));
        Assert.Equal(bytes, PercentEncoding.DecodeOrKeep(text));
    }

    [Theory]
    [InlineData("abc", 2)]
    [InlineData("ab%63", 2)]
    [InlineData("%61b", 1)]
    [InlineData("%61", 0)]
    public void Says_when_there_is_no_room(string text, int room) =>
        Assert.Equal(OperationStatus.DestinationTooSmall,
            PercentEncoding.Decode(Encoding.ASCII.GetBytes(text), new byte[room], out _));

    [Fact]
    public void Long_text_is_unescaped_too()
    {
        string text = string.Concat(Enumerable.Repeat("%E2%82%AC", 500));

        Assert.Equal(new string('€', 500), PercentEncoding.DecodeToString(Encoding.ASCII.GetBytes(text)));
    }

    [Fact]
    public void EscapePath_escapes_what_may_not_stand_in_a_path() =>
        Assert.Equal("/a%20b%3F%23%5C%5E%7F%00%2F;=@:!$&'()*+,-._~%41",
            PercentEncoding.EscapePath("/a b?#\\^\x7F\0%2F;=@:!$&'()*+,-._~%41"u8));
}
