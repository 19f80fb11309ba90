using NetGo.Interleaving;

namespace System.Threading;

/// <summary>A spin gives way until somebody else has stored something.</summary>
internal struct SpinWait
{
    public int Count { get; private set; }

    public void SpinOnce()
    {
        Count++;
        if (VirtualThread.Current is { } self)
            self.Run.Spin(self);
    }
}
