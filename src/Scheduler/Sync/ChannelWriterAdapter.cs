using System.Threading.Channels;
using WriterClosedException = System.Threading.Channels.ChannelClosedException;

namespace NetGo;

/// <summary>A channel as a writer of System.Threading.Channels.</summary>
internal sealed class ChannelWriterAdapter<T>(Channel<T> channel) : ChannelWriter<T>
{
    public override bool TryComplete(Exception? error = null) => channel.TryClose(error);

    public override bool TryWrite(T item) => channel.Offer(item) == SendOutcome.Sent;

    public override async ValueTask<bool> WaitToWriteAsync(CancellationToken cancellationToken = default)
    {
        bool open = await channel.WaitToSendAsync(cancellationToken).ConfigureAwait(false);
        return open || (channel.CloseError is { } error ? throw error : false);
    }

    public override async ValueTask WriteAsync(T item, CancellationToken cancellationToken = default)
    {
        try
        {
            await channel.SendAsync(item, cancellationToken).ConfigureAwait(false);
        }
        catch (ChannelClosedException)
        {
            throw new WriterClosedException(channel.CloseError);
        }
    }
}
