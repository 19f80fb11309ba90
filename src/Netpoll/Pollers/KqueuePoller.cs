using System.Runtime.CompilerServices;
using static NetGo.Netpoll.Kqueue;

namespace NetGo.Netpoll;

// The wake-up is a user event (EVFILT_USER) without EV_CLEAR: once triggered it stays so, and every poll sees it until it is
// disabled. A poll by sysmon, which never sleeps, must not take the wake-up from the machine that sleeps here, so it leaves the
// event alone. Go's wakeNetpoll and drainWakeupEvent are the same.
//
//   state    a poll sees it   from    by
//   quiet    no                       the constructor: EV_ADD, not triggered
//                             raised  a poll that may sleep, which has seen it: EV_DISABLE
//   raised   yes              quiet   Wake: EV_ENABLE with NOTE_TRIGGER
//
//   race of                            what becomes of it
//   Wake, and a poll's EV_DISABLE      the poll returns after that Wake, whose caller has published before it what there is to
//                                      find: it is the current poll, and has been woken
//   Wake, and another Wake             the second changes nothing
//   a poll that sleeps, one that       both see it, whoever is first: nothing is consumed before the EV_DISABLE, and that is by
//   does not                           the one that sleeps only

/// <summary>kqueue(2), edge-triggered (EV_CLEAR). A descriptor is registered once, for both directions; its event's data is the
/// PollDesc's index and sequence. The poller of a processor that is gone is polled by a thread of its own: a kqueue could watch
/// another one, but libkqueue's cannot, over which this is tested.</summary>
internal sealed unsafe class KqueuePoller : INetPoller
{
    private const int MaxEvents = IPoller.MaxEvents;

    private readonly Kqueue _system;
    private readonly int _kqueue;
    private readonly PollDescLimbo _limbo = new();
    private Thread? _thread;
    private volatile bool _released;
    private int _registrations;

    /// <exception cref="PlatformNotSupportedException">The system has no kqueue.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">The system refused.</exception>
    public KqueuePoller()
    {
        if (!TryGet(out Kqueue? system, out string? missing))
            throw new PlatformNotSupportedException(missing);
        _system = system;
        _ = UnixSockets.LastError; // compiled now, not between a call that fails and the question why
        _kqueue = system.Create();
        if (_kqueue < 0)
            throw SystemSockets.ExceptionFor(UnixSockets.LastError, "kqueue");
        int error = ChangeUserEvent(EV_ADD, 0);
        if (error == 0)
            return;
        Dispose();
        throw SystemSockets.ExceptionFor(error, "kevent");
    }

    public PollerKind Kind => PollerKind.Kqueue;

    public bool HasRegistrations => Volatile.Read(ref _registrations) > 0;

    public void Register(nint descriptor, PollDesc desc)
    {
        // Writing first: libkqueue, given it second, forgets to ask for the end of the stream (epoll's EPOLLRDHUP).
        ulong data = ((ulong)desc.Sequence << 32) | desc.Index;
        int error = ChangeBoth(descriptor, EV_ADD | EV_CLEAR, data);
        if (error != 0)
        {
            _ = ChangeBoth(descriptor, EV_DELETE, data);
            throw SystemSockets.ExceptionFor(error, "kevent");
        }
        Interlocked.Increment(ref _registrations);
    }

    public void Arm(PollDesc desc, PollMode mode)
    {
        // Edge-triggered: the next event comes by itself.
    }

    public void Unregister(nint descriptor, PollDesc desc, bool shared)
    {
        // A kqueue is about the descriptors of this process: closed here, one is forgotten, whoever else has what it stood for.
        if (!_system.ForgetsClosed)
            _ = ChangeBoth(descriptor, EV_DELETE, 0);
        Interlocked.Decrement(ref _registrations);
    }

    public void Free(PollDesc desc) => _limbo.Add(desc);

    private int ChangeBoth(nint descriptor, ushort flags, ulong data) => _system.Change(
        _kqueue,
        new Event { Identifier = (nuint)descriptor, Filter = EVFILT_WRITE, Flags = flags, UserData = data },
        new Event { Identifier = (nuint)descriptor, Filter = EVFILT_READ, Flags = flags, UserData = data });

    private int ChangeUserEvent(ushort flags, uint filterFlags) =>
        _system.Change(_kqueue, new Event { Filter = _system.UserFilter, Flags = flags, FilterFlags = filterFlags });

    [SkipLocalsInit]
    public void Poll(long timeout, ref GoroutineQueue ready)
    {
        byte* events = stackalloc byte[MaxEvents * MaxEventSize];
        _limbo.EnterPoll();
        // An interrupted wait (-1, EINTR) is like one that timed out: the scheduler looks around and comes back.
        int count = _system.Wait(_kqueue, events, MaxEvents, timeout);
        for (int i = 0; i < count; i++)
            Dispatch(in _system.At(events, i), timeout, ref ready);
        _limbo.ExitPoll();
    }

    private void Dispatch(in Event came, long timeout, ref GoroutineQueue ready)
    {
        if (came.Filter == _system.UserFilter)
        {
            if (timeout != 0)
                _ = ChangeUserEvent(EV_DISABLE, 0);
            return;
        }
        PollDesc desc = PollDescTable.Get((uint)came.UserData);
        if (desc.Sequence != (uint)(came.UserData >> 32))
            return;
        if (came.Filter == EVFILT_WRITE)
        {
            desc.EventCame(PollMode.Write, ref ready);
            return;
        }
        bool ended = (came.Flags & EV_EOF) != 0;
        if (ended)
            desc.PeerHasClosed();
        desc.EventCame(PollMode.Read, ref ready);
        // The write end of a pipe whose reader is gone gets no other event on some systems (Go's netpoll); a connection's writer
        // tries again in vain, once.
        if (ended)
            desc.EventCame(PollMode.Write, ref ready);
    }

    public void Wake() => _ = ChangeUserEvent(EV_ENABLE, NOTE_TRIGGER);

    // ---- The poller of a processor that is gone ----

    public bool TryAdopt(IPoller other)
    {
        try
        {
            ((KqueuePoller)other).StartThread();
            return true;
        }
        catch (OutOfMemoryException)
        {
            return false; // so says Thread.Start when the system has no room for another
        }
    }

    public bool TryRelease(IPoller other)
    {
        ((KqueuePoller)other).StopThread();
        return true;
    }

    private void StartThread()
    {
        _released = false;
        var thread = new Thread(PollUntilReleased) { IsBackground = true, Name = "netgo-poller" };
        thread.UnsafeStart();
        _thread = thread;
    }

    private void StopThread()
    {
        if (_thread is not { } thread)
            return;
        _released = true;
        Wake();
        thread.Join();
        _thread = null;
    }

    private void PollUntilReleased()
    {
        GoroutineQueue ready = default;
        while (!_released)
        {
            Poll(-1, ref ready);
            while (ready.PopFront() is { } g)
                g.Scheduler.Enqueue(g, next: false);
        }
    }

    public void Dispose()
    {
        StopThread();
        _system.Close(_kqueue);
    }
}
