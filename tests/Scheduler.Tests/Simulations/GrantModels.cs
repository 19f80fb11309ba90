namespace NetGo.Scheduler.Tests.Simulations;

// What locks, semaphores and the like do, said in one thread. All of them grant at the moment of the call that makes it
// possible, in a fixed order.

internal sealed class RWMutexModel
{
    private readonly List<Expected> _waitingReaders = [];
    private readonly List<Expected> _waitingWriters = [];
    private int _readers;
    private bool _writer;

    public bool IsFree => _readers == 0 && !_writer;

    private bool SomebodyWaits => _waitingReaders.Count + _waitingWriters.Count > 0;

    public Expected RLock(bool waits = true)
    {
        var expected = new Expected();
        if (!_writer && !SomebodyWaits)
            GrantReader(expected);
        else if (waits)
            _waitingReaders.Add(expected);
        return expected;
    }

    public Expected Lock(bool waits = true)
    {
        var expected = new Expected();
        if (IsFree && !SomebodyWaits)
            GrantWriter(expected);
        else if (waits)
            _waitingWriters.Add(expected);
        return expected;
    }

    public void RUnlock()
    {
        if (--_readers == 0 && _waitingWriters.Count > 0)
            GrantWriter(Take(_waitingWriters));
    }

    public void Unlock()
    {
        _writer = false;
        if (_waitingReaders.Count > 0)
            GrantReaders();
        else if (_waitingWriters.Count > 0)
            GrantWriter(Take(_waitingWriters));
    }

    public void Cancel(Expected expected)
    {
        if (!_waitingReaders.Remove(expected) && !_waitingWriters.Remove(expected))
            return;
        expected.Ending = Ending.Canceled;
        if (_waitingWriters.Count == 0 && !_writer)
            GrantReaders();
    }

    private void GrantReaders()
    {
        while (_waitingReaders.Count > 0)
            GrantReader(Take(_waitingReaders));
    }

    private void GrantReader(Expected reader)
    {
        _readers++;
        reader.Ending = Ending.Done;
    }

    private void GrantWriter(Expected writer)
    {
        _writer = true;
        writer.Ending = Ending.Done;
    }

    public static Expected Take(List<Expected> queue)
    {
        Expected first = queue[0];
        queue.RemoveAt(0);
        return first;
    }
}

internal sealed class SemaphoreModel(int size)
{
    private readonly List<Expected> _waiting = [];

    public int Available { get; private set; } = size;

    public Expected Acquire(int units, bool waits = true)
    {
        var expected = new Expected { Value = units };
        if (_waiting.Count == 0 && units <= Available)
            Grant(expected);
        else if (waits)
            _waiting.Add(expected);
        return expected;
    }

    public void Release(int units)
    {
        Available += units;
        Serve();
    }

    public void Cancel(Expected expected)
    {
        if (!_waiting.Remove(expected))
            return;
        expected.Ending = Ending.Canceled;
        Serve();
    }

    private void Serve()
    {
        while (_waiting.Count > 0 && _waiting[0].Value <= Available)
            Grant(RWMutexModel.Take(_waiting));
    }

    private void Grant(Expected expected)
    {
        Available -= expected.Value;
        expected.Ending = Ending.Done;
    }
}

/// <summary>A wait group, and with <see cref="SignalOne"/> a condition variable: those who wait until they are told.</summary>
internal sealed class SignalModel
{
    private readonly List<Expected> _waiting = [];

    public int Waiting => _waiting.Count;

    public Expected Wait(bool nothingToWaitFor = false)
    {
        var expected = new Expected();
        if (nothingToWaitFor)
            expected.Ending = Ending.Done;
        else
            _waiting.Add(expected);
        return expected;
    }

    public void SignalOne()
    {
        if (_waiting.Count > 0)
            RWMutexModel.Take(_waiting).Ending = Ending.Done;
    }

    public void SignalAll()
    {
        while (_waiting.Count > 0)
            SignalOne();
    }

    public void Cancel(Expected expected)
    {
        if (_waiting.Remove(expected))
            expected.Ending = Ending.Canceled;
    }
}
