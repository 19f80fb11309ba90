namespace NetGo.Netpoll;

// In the new process of a hand-over: tells the old one when all listeners that it handed over are accepted from, or have been
// closed, so that it may stop. It is told by a byte. If none is accepted from, or the process ends before, the old one
// sees the end of the stream.
internal sealed class HandOverReport(nint socket, int listeners)
{
    private int _waiting = listeners;
    private volatile bool _accepts;

    public void Accepting()
    {
        _accepts = true;
        Closed();
    }

    public void Closed()
    {
        if (Interlocked.Decrement(ref _waiting) != 0)
            return;
        if (_accepts)
            _ = SystemSockets.Send(socket, [1]); // fails when the old process is gone: the more reason to go on
        _ = SystemSockets.Close(socket);
    }
}
