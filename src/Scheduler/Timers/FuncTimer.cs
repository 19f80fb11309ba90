namespace NetGo;

/// <summary>Runs a function in a goroutine of its own when it comes due, in the <see cref="ExecutionContext"/> of who made
/// it.</summary>
internal sealed class FuncTimer(GoScheduler scheduler, Func<Task> body, string file, int line) : RestartableTimer(scheduler)
{
    private static readonly Func<object?, Task> s_run = static timer => ((FuncTimer)timer!).RunAsync();

    private readonly ExecutionContext? _context = ExecutionContext.Capture();

    protected override void Expire(long late)
    {
        try
        {
            Scheduler.Spawn(s_run, this, file, line);
        }
        catch (ObjectDisposedException)
        {
            // The scheduler was stopped in the meantime: nothing runs any more.
        }
    }

    private Task RunAsync() => _context is null || _context == Machine.DefaultContext ? body() : RunInContext(_context);

    private Task RunInContext(ExecutionContext context)
    {
        Task? result = null;
        ExecutionContext.Run(context, _ => result = body(), null);
        return result!;
    }
}
