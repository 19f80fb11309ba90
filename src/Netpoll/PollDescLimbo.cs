namespace NetGo.Netpoll;

// Where the PollDescs of closed descriptors wait until no poll can have an event of theirs in hand: a thread may have got an
// event from the system before the descriptor was closed and be about to look at the PollDesc. Handed to the next user at once,
// that one would be woken by its predecessor's event.
//
// A poll that begins after the descriptor was closed gets no event of it. So a PollDesc may go when there has been a moment, after
// it was added, at which no poll was under way:
//
//   poll                                    who adds
//   1  _polls++ (EnterPoll, a full fence)   1  has closed the descriptor
//   2  asks the system, delivers events     2  puts the PollDesc on the list, a full fence
//   3  _polls-- (ExitPoll, a full fence)    3  _polls is 0: lets all go
//      it was the last and the list is
//      not empty: lets all go
//
// "Lets all go" reads _polls again under the lock of the list. When it is 0, whoever polls later began after that, and so after
// all that is on the list was closed; when it is not, somebody will come to his 3. A sleeping poller keeps what is
// closed meanwhile: never more than what was registered with it.
internal sealed class PollDescLimbo
{
    private readonly Lock _lock = new();
    private PollDesc? _first;
    private int _polls;

    public void EnterPoll() => Interlocked.Increment(ref _polls);

    public void ExitPoll()
    {
        if (Interlocked.Decrement(ref _polls) == 0 && Volatile.Read(ref _first) is not null)
            LetGo();
    }

    public void Add(PollDesc desc)
    {
        desc.Retire();
        lock (_lock)
        {
            desc.FreeLink = _first;
            Volatile.Write(ref _first, desc);
        }
        Interlocked.MemoryBarrier();
        if (Volatile.Read(ref _polls) == 0)
            LetGo();
    }

    private void LetGo()
    {
        PollDesc? desc = null;
        lock (_lock)
        {
            if (Volatile.Read(ref _polls) == 0)
            {
                desc = _first;
                Volatile.Write(ref _first, null);
            }
        }
        while (desc is not null)
        {
            PollDesc? next = desc.FreeLink;
            PollDescTable.ReturnRetired(desc);
            desc = next;
        }
    }
}
