namespace NetGo;

/// <summary>A context whose end spawns a goroutine, unless it was stopped; Go's afterFuncCtx. Nobody but its
/// <see cref="ContextRegistration"/> has it.</summary>
internal sealed class CallbackContext(Context parent, Func<Task> body, string file, int line) : CancelContext(parent)
{
    private readonly GoScheduler _scheduler = GoScheduler.Current;
    private readonly ExecutionContext? _executionContext = ExecutionContext.Capture();
    private int _claimed;

    private protected override string Step => "AfterFunc";

    /// <summary>True for the first of all who stop or start it.</summary>
    private bool TryClaim() => Interlocked.Exchange(ref _claimed, 1) == 0;

    public bool Stop()
    {
        if (!TryClaim())
            return false;
        Dispose();
        return true;
    }

    private protected override void Release()
    {
        if (!TryClaim())
            return;
        try
        {
            // The goroutine inherits what flows at this moment.
            if (_executionContext is null)
                Start();
            else
                ExecutionContext.Run(_executionContext, static state => ((CallbackContext)state!).Start(), this);
        }
        catch (ObjectDisposedException)
        {
            // The scheduler is being stopped: nothing that it was to run is run any more.
        }
    }

    private void Start() => _scheduler.Spawn(body, file, line);
}
