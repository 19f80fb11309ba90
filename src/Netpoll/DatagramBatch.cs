using System.Net.Sockets;

namespace NetGo.Netpoll;

/// <summary>Datagrams to be received or sent together, by <see cref="UdpSocket.ReceiveBatchAsync"/> and
/// <see cref="UdpSocket.SendBatchAsync"/>: places of the same size in one piece of memory, used again and again. One goroutine
/// uses it at a time. What was received may be sent back as it is: each datagram goes to whom it came from.</summary>
public sealed class DatagramBatch
{
    /// <summary>More datagrams than this are not received or sent together.</summary>
    public const int MaxCapacity = 256;

    private readonly Memory<byte> _buffer;
    private readonly DatagramInfo[] _datagrams;

    /// <param name="capacity">How many datagrams, from 1 to <see cref="MaxCapacity"/>.</param>
    /// <param name="datagramSize">The most that one may have, in bytes; a longer one is cut when it is received.</param>
    /// <exception cref="ArgumentOutOfRangeException">One of them is too large or not positive.</exception>
    public DatagramBatch(int capacity, int datagramSize)
        : this(NewBuffer(capacity, datagramSize), datagramSize)
    {
    }

    /// <param name="buffer">The places, one after the other: at least one, at most <see cref="MaxCapacity"/> are used.</param>
    /// <param name="datagramSize">The most that one may have, in bytes; a longer one is cut when it is received.</param>
    /// <exception cref="ArgumentOutOfRangeException">The size is not positive, or the buffer has no room for one.</exception>
    public DatagramBatch(Memory<byte> buffer, int datagramSize)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(datagramSize);
        ArgumentOutOfRangeException.ThrowIfLessThan(buffer.Length, datagramSize, nameof(buffer));
        DatagramSize = datagramSize;
        _buffer = buffer;
        _datagrams = new DatagramInfo[Math.Min(buffer.Length / datagramSize, MaxCapacity)];
    }

    private static byte[] NewBuffer(int capacity, int datagramSize)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(capacity, MaxCapacity);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(datagramSize);
        return GC.AllocateUninitializedArray<byte>(checked(capacity * datagramSize));
    }

    /// <summary>The most datagrams that it can have.</summary>
    public int Capacity => _datagrams.Length;

    /// <summary>The most bytes that one of them can have.</summary>
    public int DatagramSize { get; }

    /// <summary>How many datagrams it has.</summary>
    public int Count { get; private set; }

    /// <summary>How many of them have been sent: all, after a <see cref="UdpSocket.SendBatchAsync"/> that did not throw. The one
    /// after these is the one that failed.</summary>
    public int Sent { get; internal set; }

    /// <summary>What there is to know of a datagram. To answer in its place, write into <see cref="Place"/> and set this with the
    /// new length.</summary>
    /// <param name="index">Less than <see cref="Count"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such datagram, or the length is more than
    /// <see cref="DatagramSize"/>.</exception>
    public DatagramInfo this[int index]
    {
        get
        {
            CheckIndex(index, Count);
            return _datagrams[index];
        }
        set
        {
            CheckIndex(index, Count);
            CheckLength(value.Length);
            _datagrams[index] = value;
        }
    }

    /// <summary>The bytes of a datagram.</summary>
    /// <param name="index">Less than <see cref="Count"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such datagram.</exception>
    public Memory<byte> Data(int index) => Place(index)[..this[index].Length];

    /// <summary>The memory for a datagram, all <see cref="DatagramSize"/> bytes of it.</summary>
    /// <param name="index">Less than <see cref="Capacity"/>: also of one that is yet to be added.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such place.</exception>
    public Memory<byte> Place(int index)
    {
        CheckIndex(index, Capacity);
        return _buffer.Slice(index * DatagramSize, DatagramSize);
    }

    /// <summary>Adds a datagram to be sent, whose bytes are in its <see cref="Place"/> already.</summary>
    /// <param name="length">Of it, in bytes.</param>
    /// <param name="address">Whom it goes to; the default value for whom the socket is connected to.</param>
    /// <exception cref="ArgumentOutOfRangeException">The length is more than <see cref="DatagramSize"/>.</exception>
    /// <exception cref="InvalidOperationException">The batch is full.</exception>
    public void Add(int length, AddressPort address = default)
    {
        CheckLength(length);
        if (Count == Capacity)
            throw new InvalidOperationException($"The batch is full: it has room for {Capacity} datagrams.");
        _datagrams[Count++] = new DatagramInfo(length, address);
    }

    /// <summary>Adds a datagram to be sent, and copies its bytes.</summary>
    /// <inheritdoc cref="Add(int, AddressPort)"/>
    public void Add(ReadOnlySpan<byte> data, AddressPort address = default)
    {
        Add(data.Length, address);
        data.CopyTo(Place(Count - 1).Span);
    }

    /// <summary>Takes all datagrams out.</summary>
    public void Clear()
    {
        Count = 0;
        Sent = 0;
    }

    private static void CheckIndex(int index, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, count);
    }

    private void CheckLength(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, DatagramSize);
    }

    /// <summary>Receives as many as are there; how many, or a failure of <see cref="SystemSockets"/>'.</summary>
    internal int Receive(nint socket)
    {
        Sent = 0;
        int count = SystemSockets.ReceiveMany(socket, _buffer.Span, DatagramSize, _datagrams);
        Count = Math.Max(0, count);
        return count;
    }

    /// <summary>Sends those that have not been sent. 0, or a failure of <see cref="SystemSockets"/>'.</summary>
    internal int SendRest(nint socket, AddressFamily family)
    {
        while (Sent < Count)
        {
            int n = SystemSockets.SendMany(
                socket, family, _buffer.Span[(Sent * DatagramSize)..], DatagramSize, _datagrams.AsSpan(Sent, Count - Sent));
            if (n < 0)
                return n;
            Sent += n;
        }
        return 0;
    }
}
