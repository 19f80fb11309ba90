using System.Threading.Channels;
using WriterClosedException = System.Threading.Channels.ChannelClosedException;

namespace NetGo;

/// <summary>Goroutines' channels for code that knows those of System.Threading.Channels, and the other way round.</summary>
public static class ChannelAdapters
{
    /// <summary>The receiving side of a channel as a <see cref="ChannelReader{T}"/>. It keeps nothing of its own: it can be
    /// used by several, and beside receivers and selects on the same channel.</summary>
    /// <remarks><see cref="ChannelReader{T}.WaitToReadAsync"/> takes no value and is no receiver: where the channel keeps none
    /// itself it does not let a sender go on that waits for one with <see cref="ChannelWriter{T}.WaitToWriteAsync"/>.
    /// <see cref="ChannelReader{T}.Completion"/> completes when the channel is closed and empty, with the error of the
    /// <see cref="ChannelWriter{T}.TryComplete"/> that closed it, if it did.</remarks>
    /// <param name="channel">The channel.</param>
    public static ChannelReader<T> AsReader<T>(this Channel<T> channel)
    {
        ArgumentNullException.ThrowIfNull(channel);
        return new ChannelReaderAdapter<T>(channel);
    }

    /// <inheritdoc cref="AsReader{T}(Channel{T})"/>
    public static ChannelReader<T> AsReader<T>(this ReceiveChannel<T> channel) => new ChannelReaderAdapter<T>(channel.Channel);

    /// <summary>The sending side of a channel as a <see cref="ChannelWriter{T}"/>. It keeps nothing of its own: it can be used
    /// by several, and beside senders and selects on the same channel.</summary>
    /// <remarks><see cref="ChannelWriter{T}.TryComplete"/> closes the channel. Its error is remembered for readers and writers
    /// of the channel; a receiver sees only that the channel is closed. <see cref="ChannelWriter{T}.TryWrite"/> to a channel
    /// that keeps no values succeeds when somebody waits to receive.</remarks>
    /// <param name="channel">The channel.</param>
    public static ChannelWriter<T> AsWriter<T>(this Channel<T> channel)
    {
        ArgumentNullException.ThrowIfNull(channel);
        return new ChannelWriterAdapter<T>(channel);
    }

    /// <inheritdoc cref="AsWriter{T}(Channel{T})"/>
    public static ChannelWriter<T> AsWriter<T>(this SendChannel<T> channel) => new ChannelWriterAdapter<T>(channel.Channel);

    /// <summary>A channel to receive from what a reader reads. A goroutine moves the values. It ends, and closes the channel,
    /// when the reader has come to its end or failed (the error is that of <see cref="AsReader{T}(Channel{T})"/>'s completion)
    /// or the token is cancelled; and it ends when the channel is closed by who receives, who thereby says that no more is
    /// wanted. A value that it has in hand then is dropped.</summary>
    /// <param name="reader">Where the values come from.</param>
    /// <param name="capacity">How many values the channel keeps.</param>
    /// <param name="cancellationToken">Ends the goroutine.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="capacity"/> is negative.</exception>
    public static Channel<T> ToGoChannel<T>(this ChannelReader<T> reader, int capacity = 0, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(reader);
        Channel<T> channel = Channel.Make<T>(capacity);
        Go.Spawn(() => PumpAsync(reader, channel, cancellationToken));
        return channel;
    }

    /// <summary>A channel to send to what a writer shall write. A goroutine moves the values. When the channel is closed and
    /// empty it completes the writer and ends. When the token is cancelled, or the writer was completed by another (which is
    /// noticed at the next value), it closes the channel, so that no sender waits in vain, and ends; the values in the channel
    /// and the one in hand are dropped then. A cancellation completes the writer with an
    /// <see cref="OperationCanceledException"/>.</summary>
    /// <param name="writer">Where the values go.</param>
    /// <param name="capacity">How many values the channel keeps.</param>
    /// <param name="cancellationToken">Ends the goroutine.</param>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="capacity"/> is negative.</exception>
    public static Channel<T> ToGoChannel<T>(this ChannelWriter<T> writer, int capacity = 0, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(writer);
        Channel<T> channel = Channel.Make<T>(capacity);
        Go.Spawn(() => PumpAsync(channel, writer, cancellationToken));
        return channel;
    }

    // Both await in the goroutine's context: foreign readers and writers would take them to the thread pool otherwise.

    private static async Task PumpAsync<T>(ChannelReader<T> from, Channel<T> to, CancellationToken cancellationToken)
    {
        Exception? error = null;
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, to.Closed);
        try
        {
            while (await from.WaitToReadAsync(end.Token))
            {
                while (from.TryRead(out T? value))
                    await to.SendAsync(value, end.Token);
            }
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            error = new OperationCanceledException(cancellationToken);
        }
        catch (ChannelClosedException)
        {
            return;
        }
        catch (Exception e)
        {
            error = e;
        }
        to.TryClose(error);
    }

    private static async Task PumpAsync<T>(Channel<T> from, ChannelWriter<T> to, CancellationToken cancellationToken)
    {
        Exception? error = null;
        try
        {
            while (await to.WaitToWriteAsync(cancellationToken) && await from.ReceiveAsync(cancellationToken) is (var value, true))
                await to.WriteAsync(value, cancellationToken);
        }
        catch (WriterClosedException)
        {
        }
        catch (Exception e)
        {
            error = e;
        }
        from.TryClose(error);
        to.TryComplete(error);
    }
}
