using System.Threading.Channels;

namespace Chat;

/// <summary>What a client has yet to be sent. It is bounded: a client that reads too slowly is dropped, and its browser connects again and
/// goes on from the last message that it has.</summary>
internal sealed class Listener
{
    /// <summary>The most messages that wait: more than the room keeps, so that a client that has just come can take them all.</summary>
    private const int MaxWaiting = 100;

    private readonly Channel<Message> _messages = Channel.CreateBounded<Message>(MaxWaiting);

    public ChannelReader<Message> Messages => _messages.Reader;

    /// <summary>False when too many wait: the listener has come to its end.</summary>
    public bool TryAdd(Message message)
    {
        if (_messages.Writer.TryWrite(message))
            return true;
        _messages.Writer.TryComplete();
        return false;
    }
}
