namespace NetGo.Scheduler.Tests.Simulations;

/// <summary>What a channel does, said in one thread.</summary>
internal sealed class ChannelModel(int capacity)
{
    private readonly Queue<int> _buffer = new();
    private readonly List<Expected> _receivers = [];
    private readonly List<Expected> _senders = [];

    public bool IsClosed { get; private set; }

    public int Count => _buffer.Count;

    public Expected Send(int value, bool waits = true)
    {
        var send = new Expected { Value = value };
        if (IsClosed)
        {
            send.Ending = Ending.Closed;
        }
        else if (_receivers.Count > 0)
        {
            TakeFirst(_receivers, Ending.Done).Value = value;
            send.Ending = Ending.Done;
        }
        else if (_buffer.Count < capacity)
        {
            _buffer.Enqueue(value);
            send.Ending = Ending.Done;
        }
        else if (waits)
        {
            _senders.Add(send);
        }
        return send;
    }

    public Expected Receive(bool waits = true)
    {
        var receive = new Expected();
        if (_buffer.Count > 0)
        {
            receive.Value = _buffer.Dequeue();
            receive.Ending = Ending.Done;
            if (_senders.Count > 0)
                _buffer.Enqueue(TakeFirst(_senders, Ending.Done).Value);
        }
        else if (_senders.Count > 0)
        {
            receive.Value = TakeFirst(_senders, Ending.Done).Value;
            receive.Ending = Ending.Done;
        }
        else if (IsClosed)
        {
            receive.Ending = Ending.Closed;
        }
        else if (waits)
        {
            _receivers.Add(receive);
        }
        return receive;
    }

    public void Close()
    {
        IsClosed = true;
        while (_receivers.Count > 0)
            TakeFirst(_receivers, Ending.Closed);
        while (_senders.Count > 0)
            TakeFirst(_senders, Ending.Closed);
    }

    public void Cancel(Expected operation)
    {
        if (_receivers.Remove(operation) || _senders.Remove(operation))
            operation.Ending = Ending.Canceled;
    }

    private static Expected TakeFirst(List<Expected> queue, Ending ending)
    {
        Expected first = queue[0];
        queue.RemoveAt(0);
        first.Ending = ending;
        return first;
    }
}
