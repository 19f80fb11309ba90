namespace NetGo;

/// <summary>What a <see cref="ChannelOperation{T}"/> does. One byte: it is part of every parked goroutine's memory.</summary>
[Flags]
internal enum ChannelOperationKind : byte
{
    /// <summary>Waits for a value.</summary>
    Receives = 0,

    /// <summary>Waits to hand a value over; otherwise it waits for one.</summary>
    Sends = 1,

    /// <summary>Has been decided already; the await goes through the run queue first.</summary>
    Yields = 2,

    /// <summary>Waits for a value, but does not take it.</summary>
    AwaitsValue = 4,

    /// <summary>Waits for room or a receiver, but sends nothing.</summary>
    AwaitsRoom = 8,
}
