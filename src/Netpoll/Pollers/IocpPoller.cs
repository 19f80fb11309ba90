using System.Diagnostics;
using System.Runtime.CompilerServices;
using static NetGo.Netpoll.Afd;

namespace NetGo.Netpoll;

// Readiness over a completion port. Windows completes operations, it does not tell of readiness; but AFD, the driver below Winsock,
// has an operation that does nothing but wait for readiness, and its completion comes to a port as any other's does. The
// alternative, overlapped reads and writes, has each idle connection pin the buffer that its next bytes will go to; reads of no bytes
// would not, but they tell of reading only, and Wine completes them at once. With AFD's poll accept, connect, read and write
// are what they are on all systems: try the system call, and park when it would block.
//
// AFD's poll completes once, and at once when what it asks for is there already. So a wait is armed each time, by the waiter,
// after its system call has found nothing, and a descriptor on which nobody waits costs nothing. The directions have a poll each:
// with a common one, a writer would have to cancel the reader's to ask for more.
//
// A registered descriptor has an AfdSlot, which the kernel writes to. Its word Uses says who uses it:
//
//   bit            set by                     cleared by
//   Open           Register                   Unregister, after it has cancelled the polls that are pending
//   ReadPending    Arm, before it begins      whoever takes the completion from the port; Arm, when AFD refuses
//   WritePending   likewise                   likewise
//
// by interlocked operations, which are full fences; who clears the last bit puts the slot on the free list, under _slotsLock.
// So a slot has no second user before the kernel has done with the first one's polls. Arm needs the descriptor to be open until it
// returns, as the system call before it did; no Arm comes after Unregister.
//
//   direction     Arm                         completion                             Unregister
//   not pending   begins a poll: pending      (there is none)                        nothing
//   pending       nothing: the completion     not pending, then EventCame wakes      cancels it; the completion
//                 that is to come will do     the waiter, or leaves Ready            comes all the same
//
// No wake-up is lost when Arm finds a poll pending: the bit is cleared before EventCame, so that EventCame is still to
// come, and the wait, which begins after Arm or has begun, sees it. What may come is a wake-up too many, of a poll
// that an earlier wait has left behind: the waiter's system call finds nothing, and it arms again.
//
// A completion is of its PollDesc if that has still the sequence that the slot has. It is read, as the events are, before the bit is
// cleared: after that the slot can be another's. The completion of a poll that Unregister has cancelled may be taken while the
// slot is still open; then it is of its PollDesc, and leaves Ready there, where nobody waits any more.
//
// When AFD refuses a poll (the handle is no socket, or the kernel is out of memory), that counts as readiness: the waiter's system
// call knows the error, or it tries again.
internal sealed unsafe class IocpPoller : INetPoller
{
    private const int MaxEvents = IPoller.MaxEvents;
    private const nuint PollKey = 0;
    private const nuint WakeKey = 1;

    /// <summary>AFD keeps the polls of one handle in one list, which it goes through to cancel one of them.</summary>
    private const int SlotsPerAfd = 32;

    private const uint ReadEvents =
        AFD_POLL_RECEIVE | AFD_POLL_ACCEPT | AFD_POLL_DISCONNECT | AFD_POLL_ABORT | AFD_POLL_LOCAL_CLOSE;

    /// <summary>Not the end of what the peer sends: it would end each wait for room from then on.</summary>
    private const uint WriteEvents = AFD_POLL_SEND | AFD_POLL_ABORT | AFD_POLL_CONNECT_FAIL | AFD_POLL_LOCAL_CLOSE;

    private static readonly TimeSpan s_cancellationLimit = TimeSpan.FromSeconds(2);

    /// <summary>All slots that the kernel may write to; what it still may when a poller is gone is never freed.</summary>
    private static readonly HashSet<AfdSlot[]> s_lent = [];

    private readonly nint _port;
    private readonly PollDescLimbo _limbo = new();
    private readonly Lock _slotsLock = new();
    private readonly List<AfdSlot[]> _slots = []; // replaced by none, only added to; 32 each, of one AFD handle
    private AfdSlot* _free;
    private int _registrations;
    private int _woken; // 1 while a wake-up is in the port, or in the hands of a poll that has taken it
    private Thread? _standIn;
    private volatile bool _standInEnds;
    private volatile bool _disposed;

    public IocpPoller()
    {
        _port = CompletionPort.Create();
        try
        {
            AddSlots(); // so that a system without AFD is found out here
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public PollerKind Kind => PollerKind.Iocp;

    public bool HasRegistrations => Volatile.Read(ref _registrations) > 0;

    // ---- Slots ----

    private AfdSlot* RentSlot()
    {
        lock (_slotsLock)
        {
            if (_free is null)
                AddSlots();
            AfdSlot* slot = _free;
            _free = (AfdSlot*)slot->Socket;
            return slot;
        }
    }

    private void AddSlots()
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        nint device = Open(_port, PollKey);
        AfdSlot[] slots = GC.AllocateArray<AfdSlot>(SlotsPerAfd, pinned: true);
        lock (s_lent)
            s_lent.Add(slots);
        _slots.Add(slots);
        foreach (ref AfdSlot slot in slots.AsSpan())
        {
            slot.Device = device;
            slot.Socket = (nint)_free;
            _free = (AfdSlot*)Unsafe.AsPointer(ref slot);
        }
    }

    /// <summary>The uses as they were, this one among them.</summary>
    private int GiveUp(AfdSlot* slot, int use)
    {
        // A full fence: all that was done with the slot comes before anybody else can have it.
        int uses = Interlocked.And(ref slot->Uses, ~use);
        if (uses != use)
            return uses;
        lock (_slotsLock)
        {
            slot->Socket = (nint)_free;
            _free = slot;
        }
        return uses;
    }

    // ---- Descriptors ----

    public void Register(nint descriptor, PollDesc desc)
    {
        nint socket = WindowsSockets.BaseOf(descriptor, out int error);
        if (error != 0)
            throw SystemSockets.ExceptionFor(error, "register a socket");
        AfdSlot* slot = RentSlot();
        slot->Socket = socket;
        slot->Index = desc.Index;
        slot->Sequence = desc.Sequence;
        Volatile.Write(ref slot->Uses, AfdSlot.Open);
        desc.PollerData = (nint)slot;
        Interlocked.Increment(ref _registrations);
    }

    public void Unregister(nint descriptor, PollDesc desc, bool shared)
    {
        AfdSlot* slot = (AfdSlot*)desc.PollerData;
        desc.PollerData = 0;
        int uses = Volatile.Read(ref slot->Uses);
        // One that completes meanwhile is not found any more, and none other can be in its place: the slot is still open.
        if ((uses & AfdSlot.ReadPending) != 0)
            Cancel(slot->Device, &slot->Read);
        if ((uses & AfdSlot.WritePending) != 0)
            Cancel(slot->Device, &slot->Write);
        _ = GiveUp(slot, AfdSlot.Open);
        Interlocked.Decrement(ref _registrations);
    }

    public void Free(PollDesc desc) => _limbo.Add(desc);

    public void Arm(PollDesc desc, PollMode mode)
    {
        var slot = (AfdSlot*)desc.PollerData;
        int pending = 1 << (int)mode;
        if ((Interlocked.Or(ref slot->Uses, pending) & pending) != 0)
            return;
        // Read after the bit was set; Dispose sets it and then reads the bits. The wait on a poller that is gone has no end.
        if (_disposed)
            _ = GiveUp(slot, pending);
        else if (!BeginPoll(slot->Device, slot->Socket, EventsFor(mode), PollOf(slot, mode), (nint)slot | (nint)mode))
            HaveRefused(slot, pending, desc, mode);
    }

    private void HaveRefused(AfdSlot* slot, int pending, PollDesc desc, PollMode mode)
    {
        _ = GiveUp(slot, pending);
        GoroutineQueue ready = default;
        desc.EventCame(mode, ref ready);
        HandOver(ref ready);
    }

    private static uint EventsFor(PollMode mode) => mode == PollMode.Read ? ReadEvents : WriteEvents;

    private static AfdPoll* PollOf(AfdSlot* slot, PollMode mode) => mode == PollMode.Read ? &slot->Read : &slot->Write;

    // ---- Polling ----

    [SkipLocalsInit]
    public void Poll(long timeout, ref GoroutineQueue ready)
    {
        CompletionPort.Entry* entries = stackalloc CompletionPort.Entry[MaxEvents];
        _limbo.EnterPoll();
        int count = timeout <= 0 ? CompletionPort.Take(_port, entries, MaxEvents, timeout == 0 ? 0 : -1) : TakeInTime(entries, timeout);
        for (int i = 0; i < count; i++)
        {
            if (entries[i].Key == WakeKey)
                TakeWake(timeout);
            else
                Dispatch(entries[i].Overlapped, ref ready);
        }
        _limbo.ExitPoll();
    }

    // The system counts in ticks of its clock, of 1 to 15.6 ms, and begins in the middle of one: it may come back early.
    private int TakeInTime(CompletionPort.Entry* entries, long timeout)
    {
        long start = Stopwatch.GetTimestamp();
        long left = timeout;
        while (true)
        {
            // Rounded up, so that a timer is due when the wait ends.
            int count = CompletionPort.Take(_port, entries, MaxEvents, (int)Math.Min((left - 1) / 1_000_000 + 1, int.MaxValue));
            if (count > 0 || _disposed)
                return count;
            left = timeout - Stopwatch.GetElapsedTime(start).Ticks * 100;
            if (left <= 0)
                return 0;
        }
    }

    private void Dispatch(nint context, ref GoroutineQueue ready)
    {
        var mode = (PollMode)(context & 1);
        var slot = (AfdSlot*)(context & ~1);
        // All that is in the slot is read first: once the bit is cleared, it may be armed again, or another's.
        uint events = EventsOf(PollOf(slot, mode));
        uint sequence = slot->Sequence;
        PollDesc desc = PollDescTable.Get(slot->Index);
        int uses = GiveUp(slot, 1 << (int)mode);
        if ((uses & AfdSlot.Open) == 0 || desc.Sequence != sequence)
            return;
        if ((events & (AFD_POLL_DISCONNECT | AFD_POLL_ABORT | AFD_POLL_CONNECT_FAIL)) != 0)
            desc.PeerHasClosed();
        bool failed = (events & (AFD_POLL_ABORT | AFD_POLL_CONNECT_FAIL)) != 0;
        // A poll that ended without an event, however that came to be, is to be armed again if somebody waits.
        if (mode == PollMode.Read || failed)
            desc.EventCame(PollMode.Read, ref ready);
        if (mode == PollMode.Write || failed)
            desc.EventCame(PollMode.Write, ref ready);
    }

    // ---- Waking ----

    // Who wakes has written why, and then exchanges; who is woken exchanges and then looks. If the waker finds 1, the exchange that
    // clears it is still to come.
    public void Wake()
    {
        if (Interlocked.Exchange(ref _woken, 1) == 0)
            PostWake();
    }

    private void TakeWake(long timeout)
    {
        if (timeout == 0)
            PostWake(); // it is not for a poll that does not sleep, which may be sysmon's
        else
            Interlocked.Exchange(ref _woken, 0);
    }

    private void PostWake()
    {
        // It fails when the kernel has no memory, and a wake-up must not be lost.
        while (!_disposed && !CompletionPort.Post(_port, WakeKey))
            Thread.Sleep(1);
    }

    // ---- Adoption ----

    // A port cannot be waited for at another one. So a thread sleeps in that of a processor that is gone, in its machine's
    // stead, and what is ready there goes to the scheduler's global queue. The adopter has no part in it.

    public bool TryAdopt(IPoller other) => ((IocpPoller)other).TryBeginStandIn();

    public bool TryRelease(IPoller other)
    {
        ((IocpPoller)other).EndStandIn();
        return true;
    }

    private bool TryBeginStandIn()
    {
        _standInEnds = false;
        var thread = new Thread(StandIn, maxStackSize: 256 * 1024) { IsBackground = true, Name = "netgo-retired-poller" };
        try
        {
            thread.UnsafeStart();
        }
        catch (OutOfMemoryException)
        {
            return false;
        }
        _standIn = thread;
        return true;
    }

    private void EndStandIn()
    {
        if (_standIn is not { } thread)
            return;
        _standInEnds = true;
        Wake();
        thread.Join(); // so that it takes no wake-up that is meant for the next machine that sleeps here
        _standIn = null;
    }

    private void StandIn()
    {
        while (!_standInEnds)
        {
            GoroutineQueue ready = default;
            Poll(-1, ref ready);
            HandOver(ref ready);
        }
    }

    private static void HandOver(ref GoroutineQueue ready)
    {
        while (ready.PopFront() is { } g)
            g.Scheduler.Enqueue(g, next: false);
    }

    // ---- The end ----

    /// <summary>Nobody polls, or will. Connections may still be closed.</summary>
    public void Dispose()
    {
        if (_disposed)
            return;
        EndStandIn();
        _disposed = true;
        Interlocked.MemoryBarrier(); // Arm sets a bit and then reads _disposed
        bool unused = EndPolls();
        foreach (AfdSlot[] slots in _slots)
        {
            CompletionPort.Close(slots[0].Device);
            if (!unused)
                continue; // the kernel may still write there
            lock (s_lent)
                s_lent.Remove(slots);
        }
        CompletionPort.Close(_port);
    }

    // False when not all have ended in time.
    private bool EndPolls()
    {
        CompletionPort.Entry* entries = stackalloc CompletionPort.Entry[MaxEvents];
        long start = Stopwatch.GetTimestamp();
        while (CountSlots(AfdSlot.Pending) > 0)
        {
            if (Stopwatch.GetElapsedTime(start) > s_cancellationLimit)
                return false;
            foreach (AfdSlot[] slots in _slots)
                Cancel(slots[0].Device, null);
            int count = CompletionPort.Take(_port, entries, MaxEvents, milliseconds: 10);
            for (int i = 0; i < count; i++)
            {
                if (entries[i].Key == PollKey)
                    _ = GiveUp((AfdSlot*)(entries[i].Overlapped & ~1), 1 << (int)(entries[i].Overlapped & 1));
            }
        }
        return true;
    }

    /// <summary>How many slots have one of these uses.</summary>
    internal int CountSlots(int uses)
    {
        int count = 0;
        lock (_slotsLock)
        {
            foreach (AfdSlot[] slots in _slots)
            {
                foreach (ref AfdSlot slot in slots.AsSpan())
                    count += (Volatile.Read(ref slot.Uses) & uses) != 0 ? 1 : 0;
            }
        }
        return count;
    }
}
