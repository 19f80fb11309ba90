using System.Runtime.CompilerServices;
using System.Threading.Channels;
using ReaderClosedException = System.Threading.Channels.ChannelClosedException;

namespace NetGo;

/// <summary>A channel as a reader of System.Threading.Channels.</summary>
internal sealed class ChannelReaderAdapter<T>(Channel<T> channel) : ChannelReader<T>
{
    public override bool CanCount => true;

    public override int Count => channel.Count;

    public override Task Completion => channel.Drained;

#pragma warning disable CS8765 // the item is null when there is none, as the base class says in its own way
    public override bool TryRead(out T item) => channel.TryReceive(out item!);
#pragma warning restore CS8765

    public override async ValueTask<T> ReadAsync(CancellationToken cancellationToken = default)
    {
        (T value, bool ok) = await channel.ReceiveAsync(cancellationToken).ConfigureAwait(false);
        return ok ? value : throw new ReaderClosedException(channel.CloseError);
    }

    public override async ValueTask<bool> WaitToReadAsync(CancellationToken cancellationToken = default)
    {
        bool more = await channel.WaitToReceiveAsync(cancellationToken).ConfigureAwait(false);
        return more || (channel.CloseError is { } error ? throw error : false);
    }

    // Receives, where that of the base class waits and then tries: so it meets a writer who only does that.
    public override async IAsyncEnumerable<T> ReadAllAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        await foreach (T value in channel.ReceiveAllAsync(cancellationToken).ConfigureAwait(false))
            yield return value;
        if (channel.CloseError is { } error)
            throw error;
    }
}
