using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static NetGo.Netpoll.Epoll;

namespace NetGo.Netpoll;

/// <summary>epoll(7), edge-triggered. A descriptor is registered once, for both directions; its event's data is the PollDesc's
/// index and sequence. An eventfd wakes a machine that sleeps here. It is level-triggered, and read only by a poll that may
/// sleep: one by sysmon, which never does, must not take the wake-up from the sleeper. An epoll descriptor can itself be polled:
/// so the poller of a processor that is gone is adopted by another, level-triggered, and asked when that one sees it.</summary>
internal sealed unsafe class EpollPoller : INetPoller
{
    private const int MaxEvents = IPoller.MaxEvents;
    private const ulong Reserved = (ulong)PollDesc.ReservedSequence << 32;
    private const ulong WakeData = Reserved | uint.MaxValue;

    private static readonly bool s_packed = RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.X86;

    private readonly int _epoll;
    private readonly int _wake;
    private readonly PollDescLimbo _limbo = new();
    private readonly Lock _adoptionLock = new();
    private volatile EpollPoller?[] _adopted = [];
    private int _adoptedCount;
    private int _registrations;

    public EpollPoller()
    {
        _ = UnixSockets.LastError; // compiled now, not between a call that fails and the question why
        _epoll = Create(EPOLL_CLOEXEC);
        if (_epoll < 0)
            throw SystemSockets.ExceptionFor(UnixSockets.LastError, "epoll_create1");
        _wake = EventFd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        int error = _wake < 0 ? UnixSockets.LastError : Control(EPOLL_CTL_ADD, _wake, EPOLLIN, WakeData);
        if (error != 0)
        {
            Dispose();
            throw SystemSockets.ExceptionFor(error, "eventfd");
        }
    }

    public PollerKind Kind => PollerKind.Epoll;

    public bool HasRegistrations => Volatile.Read(ref _registrations) > 0 || Volatile.Read(ref _adoptedCount) > 0;

    public void Register(nint descriptor, PollDesc desc)
    {
        int error = Control(EPOLL_CTL_ADD, (int)descriptor, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, ((ulong)desc.Sequence << 32) | desc.Index);
        if (error != 0)
            throw SystemSockets.ExceptionFor(error, "epoll_ctl");
        Interlocked.Increment(ref _registrations);
    }

    public void Arm(PollDesc desc, PollMode mode)
    {
        // Edge-triggered: the next event comes by itself.
    }

    public void Unregister(nint descriptor, PollDesc desc, bool shared)
    {
        // The system takes a descriptor out when it is closed, by all who have it.
        if (shared)
            _ = Control(EPOLL_CTL_DEL, (int)descriptor, 0, 0);
        Interlocked.Decrement(ref _registrations);
    }

    public void Free(PollDesc desc) => _limbo.Add(desc);

    public bool TryAdopt(IPoller other)
    {
        var adopted = (EpollPoller)other;
        lock (_adoptionLock)
        {
            EpollPoller?[] all = _adopted;
            int index = Array.IndexOf(all, null);
            if (index < 0)
            {
                index = all.Length;
                Array.Resize(ref all, index + 1);
            }
            all[index] = adopted;
            _adopted = all;
            if (Control(EPOLL_CTL_ADD, adopted._epoll, EPOLLIN, Reserved | (uint)index) != 0)
            {
                all[index] = null;
                return false;
            }
            // A late wake-up must not keep it readable for ever. It is kept for when the poller is in use again.
            _ = adopted.Control(EPOLL_CTL_DEL, adopted._wake, 0, 0);
            Interlocked.Increment(ref _adoptedCount);
            return true;
        }
    }

    public bool TryRelease(IPoller other)
    {
        var adopted = (EpollPoller)other;
        lock (_adoptionLock)
        {
            int index = Array.IndexOf(_adopted, adopted);
            if (index < 0)
                return true;
            if (adopted.Control(EPOLL_CTL_ADD, adopted._wake, EPOLLIN, WakeData) != 0)
                return false;
            _adopted[index] = null;
            _ = Control(EPOLL_CTL_DEL, adopted._epoll, 0, 0);
            Interlocked.Decrement(ref _adoptedCount);
            return true;
        }
    }

    private int Control(int operation, int descriptor, uint events, ulong data)
    {
        PackedEvent packed = new() { Events = events, Data = data };
        AlignedEvent aligned = new() { Events = events, Data = data };
        return Epoll.Control(_epoll, operation, descriptor, s_packed ? &packed : &aligned) == 0 ? 0 : UnixSockets.LastError;
    }

    [SkipLocalsInit]
    public void Poll(long timeout, ref GoroutineQueue ready)
    {
        byte* buffer = stackalloc byte[MaxEvents * sizeof(AlignedEvent)];
        int count;
        _limbo.EnterPoll();
        if (timeout == 0)
        {
            count = WaitNonBlocking(_epoll, buffer, MaxEvents, 0);
        }
        else
        {
            // Rounded up, so that a timer is due when the wait ends.
            int milliseconds = timeout < 0 ? -1 : (int)Math.Min((timeout + 999_999) / 1_000_000, int.MaxValue);
            count = Wait(_epoll, buffer, MaxEvents, milliseconds);
        }
        // An interrupted wait (-1, EINTR) is like one that timed out: the scheduler looks around and comes back.
        if (s_packed)
        {
            var events = (PackedEvent*)buffer;
            for (int i = 0; i < count; i++)
                Dispatch(events[i].Events, events[i].Data, timeout, ref ready);
        }
        else
        {
            var events = (AlignedEvent*)buffer;
            for (int i = 0; i < count; i++)
                Dispatch(events[i].Events, events[i].Data, timeout, ref ready);
        }
        _limbo.ExitPoll();
    }

    private void Dispatch(uint events, ulong data, long timeout, ref GoroutineQueue ready)
    {
        if (data >= Reserved)
        {
            DispatchReserved(data, timeout, ref ready);
            return;
        }
        PollDesc desc = PollDescTable.Get((uint)data);
        if (desc.Sequence != (uint)(data >> 32))
            return;
        if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
            desc.PeerHasClosed();
        if ((events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0)
            desc.EventCame(PollMode.Read, ref ready);
        if ((events & (EPOLLOUT | EPOLLHUP | EPOLLERR)) != 0)
            desc.EventCame(PollMode.Write, ref ready);
    }

    private void DispatchReserved(ulong data, long timeout, ref GoroutineQueue ready)
    {
        if (data != WakeData)
        {
            _adopted[(int)(uint)data]?.Poll(0, ref ready);
            return;
        }
        ulong count;
        if (timeout != 0)
            _ = Read(_wake, &count, sizeof(ulong));
    }

    public void Wake()
    {
        ulong one = 1;
        _ = Write(_wake, &one, sizeof(ulong));
    }

    public void Dispose()
    {
        _ = Close(_epoll);
        if (_wake >= 0)
            _ = Close(_wake);
    }
}
