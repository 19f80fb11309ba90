using System.Buffers;
using System.Buffers.Text;

namespace Resp;

// Finds commands in what a client has sent (https://redis.io/docs/latest/develop/reference/protocol-spec/):
//
//   *2\r\n$3\r\nGET\r\n$3\r\nkey\r\n     an array of bulk strings, and of nothing else
//   GET key\r\n                          inline: what a person types
//
// A command is consumed when it is whole. What has been understood of one that is not is remembered, so that a command of many pieces is not read
// from its beginning at each: _position is where to go on, _missing how many arguments are to come (0: at the beginning of a command), _bulkLength
// how long the next is (-1: not known yet).
//
// The arguments are spans of the input where it is one piece in memory, and of a copy where it is not. They are valid until the next call.
internal sealed class RespParser
{
    private const int MaxHeaderLength = 32; // '*' or '$', a number, CR LF

    private readonly RespLimits _limits;
    private readonly Action<int, int> _add;
    private (int Start, int Length)[] _arguments = new (int, int)[8];
    private ReadOnlyMemory<byte> _bytes;
    private byte[] _copy = [];
    private int _position;
    private int _missing;
    private int _bulkLength = -1;

    public RespParser(RespLimits limits)
    {
        _limits = limits;
        _add = Add;
    }

    /// <summary>How many arguments the command has, its name among them.</summary>
    public int Count { get; private set; }

    public ReadOnlySpan<byte> this[int index]
    {
        get
        {
            (int start, int length) = _arguments[index];
            return _bytes.Span.Slice(start, length);
        }
    }

    /// <summary>Takes the first command off the input; false when there is none that is whole.</summary>
    /// <exception cref="RespProtocolException">The input is no command, or one that is too large.</exception>
    public bool TryParse(ref ReadOnlySequence<byte> input)
    {
        while (!input.IsEmpty)
        {
            bool isWhole = _missing == 0 && FirstOf(input) != '*' ? TryParseInline(input) : TryParseArray(input);
            if (!isWhole)
                return false;
            input = input.Slice(_position);
            _position = 0;
            if (Count > 0)
                return true; // an empty one is passed over, as in Redis
        }
        return false;
    }

    private static byte FirstOf(in ReadOnlySequence<byte> input)
    {
        if (!input.FirstSpan.IsEmpty)
            return input.FirstSpan[0];
        new SequenceReader<byte>(input).TryPeek(out byte first); // behind an empty piece
        return first;
    }

    // ---- Arrays ----

    private bool TryParseArray(in ReadOnlySequence<byte> input)
    {
        if (_missing == 0)
        {
            if (!TryReadHeader(input, '*', out long count))
                return false;
            Count = 0;
            if (count > _limits.MaxArguments)
                throw new RespProtocolException("invalid multibulk length");
            if (count <= 0)
                return true;
            _missing = (int)count;
        }
        while (_missing > 0)
        {
            if (!TryReadBulk(input))
                return false;
        }
        if (input.FirstSpan.Length >= _position)
            _bytes = input.First;
        else
            Copy(input.Slice(0, _position));
        return true;
    }

    private bool TryReadBulk(in ReadOnlySequence<byte> input)
    {
        if (_bulkLength < 0)
        {
            if (!TryReadHeader(input, '$', out long length))
                return false;
            if (length < 0 || length > _limits.MaxBulkLength || _position + length + 2 > _limits.MaxCommandLength)
                throw new RespProtocolException("invalid bulk length");
            _bulkLength = (int)length;
        }
        int end = _position + _bulkLength;
        if (input.Length < end + 2)
            return false;
        RequireLineEnd(input, end);
        Add(_position, _bulkLength);
        _position = end + 2;
        _bulkLength = -1;
        _missing--;
        return true;
    }

    private bool TryReadHeader(in ReadOnlySequence<byte> input, char type, out long value)
    {
        value = 0;
        if (_position == input.Length)
            return false;
        Span<byte> copy = stackalloc byte[MaxHeaderLength];
        ReadOnlySpan<byte> header = Peek(input, copy);
        if (header[0] != type)
            throw new RespProtocolException($"expected '{type}', got '{(header[0] is > 32 and < 127 ? (char)header[0] : '?')}'");
        int end = header.IndexOf((byte)'\n');
        if (end < 0)
            return header.Length < MaxHeaderLength ? false : throw new RespProtocolException($"too big {(type == '*' ? "mbulk" : "bulk")} count string");
        bool isNumber = header[end - 1] == '\r' && Utf8Parser.TryParse(header[1..(end - 1)], out value, out int used) && used == end - 2 && header[1] != '+';
        if (!isNumber)
            throw new RespProtocolException(type == '*' ? "invalid multibulk length" : "invalid bulk length");
        _position += end + 1;
        return true;
    }

    // The next bytes, as many as a header has: where they lie if they lie together.
    private ReadOnlySpan<byte> Peek(in ReadOnlySequence<byte> input, Span<byte> copy)
    {
        int count = (int)Math.Min(MaxHeaderLength, input.Length - _position);
        ReadOnlySpan<byte> first = input.FirstSpan;
        if (first.Length >= _position + count)
            return first.Slice(_position, count);
        input.Slice(_position, count).CopyTo(copy);
        return copy[..count];
    }

    private static void RequireLineEnd(in ReadOnlySequence<byte> input, int at)
    {
        ReadOnlySpan<byte> first = input.FirstSpan;
        Span<byte> copy = stackalloc byte[2];
        scoped ReadOnlySpan<byte> end;
        if (first.Length >= at + 2)
        {
            end = first.Slice(at, 2);
        }
        else
        {
            input.Slice(at, 2).CopyTo(copy);
            end = copy;
        }
        if (!end.SequenceEqual("\r\n"u8))
            throw new RespProtocolException("invalid bulk length"); // Redis does not look, and reads on at the wrong place
    }

    // ---- Inline ----

    private bool TryParseInline(in ReadOnlySequence<byte> input)
    {
        if (input.PositionOf((byte)'\n') is not { } lineEnd)
        {
            // What has been looked at is looked at again when more comes: the limit is small.
            return input.Length <= _limits.MaxInlineLength ? false : throw new RespProtocolException("too big inline request");
        }
        ReadOnlySequence<byte> line = input.Slice(0, lineEnd);
        if (line.Length > _limits.MaxInlineLength)
            throw new RespProtocolException("too big inline request");
        Copy(line);
        int length = (int)line.Length;
        _position = length + 1;
        Count = 0;
        if (!InlineArguments.TrySplit(_copy.AsSpan(0, length), _add))
            throw new RespProtocolException("unbalanced quotes in request");
        return true;
    }

    private void Copy(in ReadOnlySequence<byte> bytes)
    {
        int length = (int)bytes.Length;
        if (_copy.Length < length)
            _copy = new byte[Math.Max(length, 1024)];
        bytes.CopyTo(_copy);
        _bytes = _copy.AsMemory(0, length);
    }

    /// <summary>Forgets the last command, and gives up what a large one has left behind. Before a wait for the next.</summary>
    public void Release()
    {
        _bytes = default;
        if (_missing > 0)
            return;
        if (_copy.Length > _limits.MaxInlineLength)
            _copy = [];
        if (_arguments.Length > 1024)
            _arguments = new (int, int)[8];
    }

    private void Add(int start, int length)
    {
        if (Count == _arguments.Length)
            Array.Resize(ref _arguments, Count * 2);
        _arguments[Count++] = (start, length);
    }
}
