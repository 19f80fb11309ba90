namespace NetGo;

/// <summary>A machine that has its processor for good.</summary>
internal sealed partial class Machine(GoScheduler scheduler)
{
    private readonly Slot _slot = new();
    private bool _spinning;

    public GoScheduler Scheduler => scheduler;

    /// <summary>Runs goroutines until the scheduler stops.</summary>
    public void RunAll(Processor processor, List<int> ran)
    {
        while (FindRunnable(processor) is { } g)
        {
            ran.Add(g.Id);
            g.Body?.Invoke(processor);
        }
    }

    /// <summary>A machine of these tests ends when its processor goes.</summary>
    private sealed class Slot
    {
        public void GiveUp()
        {
        }
    }
}
