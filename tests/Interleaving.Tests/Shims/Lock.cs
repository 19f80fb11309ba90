using NetGo.Interleaving;

namespace System.Threading;

/// <summary>What <c>lock</c> uses for a field of this type: the compiler asks for the name and the shape only. Taking and
/// leaving it are full fences, unless the test has it otherwise.</summary>
internal sealed class Lock
{
    private VirtualThread? _owner;
    private (Run? Run, VirtualThread? Thread) _left;

    public Scope EnterScope()
    {
        Enter();
        return new Scope(this);
    }

    public void Enter()
    {
        if (VirtualThread.Current is not { } self)
            return;
        Run run = self.Run;
        run.Point(self);
        if (Memory.IsWeak(self, Weakness.LocksDoNothing))
            return;
        if (_owner == self)
            throw new InvalidOperationException("A lock was taken twice by the same thread.");
        run.Wait(self, "a lock", () => _owner is null);
        _owner = self;
        if (_left.Run == run)
            run.DrainOther(_left.Thread!); // what it had stored before it left
        run.Drain(self);
        run.Trace(self, "locks");
    }

    public void Exit()
    {
        if (VirtualThread.Current is not { } self || _owner != self)
            return;
        _owner = null;
        if (Memory.IsWeak(self, Weakness.LeavingALockIsNoFence))
            _left = (self.Run, self);
        else
            self.Run.Drain(self);
        self.Run.StoreReachedMemory();
        self.Run.Trace(self, "unlocks");
    }

    public readonly ref struct Scope(Lock held)
    {
        public void Dispose() => held.Exit();
    }
}
