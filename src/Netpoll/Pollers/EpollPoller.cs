using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using static NetGo.Netpoll.LinuxSockets;

namespace NetGo.Netpoll;

/// <summary>epoll(7), edge-triggered. A descriptor is registered once, for both directions; its event's data is the PollDesc's
/// index and sequence. An eventfd wakes a machine that sleeps here. It is level-triggered, and read only by a poll that may
/// sleep: one by sysmon, which never does, must not take the wake-up from the sleeper.</summary>
internal sealed unsafe class EpollPoller : INetPoller
{
    private const int MaxEvents = 128;
    private const ulong WakeData = ulong.MaxValue;

    private static readonly bool s_packed = RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.X86;

    private readonly int _epoll;
    private readonly int _wake;
    private int _registrations;

    public EpollPoller()
    {
        _ = LastError; // compiled now, not between a call that fails and the question why
        _epoll = EpollCreate(EPOLL_CLOEXEC);
        if (_epoll < 0)
            throw ExceptionFor(LastError, "epoll_create1");
        _wake = EventFd(0, EFD_NONBLOCK | EFD_CLOEXEC);
        int error = _wake < 0 ? LastError : Control(_wake, EPOLLIN, WakeData);
        if (error != 0)
        {
            Dispose();
            throw ExceptionFor(error, "eventfd");
        }
    }

    public bool HasRegistrations => Volatile.Read(ref _registrations) > 0;

    public void Register(int descriptor, PollDesc desc)
    {
        int error = Control(descriptor, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, ((ulong)desc.Sequence << 32) | desc.Index);
        if (error != 0)
            throw ExceptionFor(error, "epoll_ctl");
        Interlocked.Increment(ref _registrations);
    }

    // The system takes a descriptor out when it is closed.
    public void Unregister(int descriptor, PollDesc desc) => Interlocked.Decrement(ref _registrations);

    private int Control(int descriptor, uint events, ulong data)
    {
        PackedEpollEvent packed = new() { Events = events, Data = data };
        AlignedEpollEvent aligned = new() { Events = events, Data = data };
        return EpollControl(_epoll, EPOLL_CTL_ADD, descriptor, s_packed ? &packed : &aligned) == 0 ? 0 : LastError;
    }

    [SkipLocalsInit]
    public void Poll(long timeout, ref GoroutineQueue ready)
    {
        byte* buffer = stackalloc byte[MaxEvents * sizeof(AlignedEpollEvent)];
        int count;
        if (timeout == 0)
        {
            count = EpollWaitNonBlocking(_epoll, buffer, MaxEvents, 0);
        }
        else
        {
            // Rounded up, so that a timer is due when the wait ends.
            int milliseconds = timeout < 0 ? -1 : (int)Math.Min((timeout + 999_999) / 1_000_000, int.MaxValue);
            count = EpollWait(_epoll, buffer, MaxEvents, milliseconds);
        }
        // An interrupted wait (-1, EINTR) is like one that timed out: the scheduler looks around and comes back.
        if (s_packed)
        {
            var events = (PackedEpollEvent*)buffer;
            for (int i = 0; i < count; i++)
                Dispatch(events[i].Events, events[i].Data, timeout, ref ready);
        }
        else
        {
            var events = (AlignedEpollEvent*)buffer;
            for (int i = 0; i < count; i++)
                Dispatch(events[i].Events, events[i].Data, timeout, ref ready);
        }
    }

    private void Dispatch(uint events, ulong data, long timeout, ref GoroutineQueue ready)
    {
        if (data == WakeData)
        {
            ulong count;
            if (timeout != 0)
                _ = Read(_wake, &count, sizeof(ulong));
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
