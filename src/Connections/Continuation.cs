using System.Threading.Tasks.Sources;

namespace NetGo.Connections;

// What awaits a read or a flush. It goes on inline on the goroutine that the wait made, without a SynchronizationContext, as ASP.NET Core's
// code expects it: an await of something foreign in it goes on on the thread pool. Two others are as they are used to: a goroutine's own
// code goes on as that goroutine, and one with a context of another kind (a UI's) is posted there.
internal struct Continuation
{
    private static readonly ContextCallback s_runInContext = static box => ((Boxed)box!).Invoke();

    private Action<object?>? _action;
    private object? _state;
    private SynchronizationContext? _context;

    /// <summary>What is called with: mostly an async method's state machine in its box.</summary>
    public readonly object? State => _state is Boxed boxed ? boxed.State : _state;

    public static Continuation Of(Action<object?> action, object? state, ValueTaskSourceOnCompletedFlags flags)
    {
        if ((flags & ValueTaskSourceOnCompletedFlags.FlowExecutionContext) != 0 && ExecutionContext.Capture() is { } execution)
        {
            state = new Boxed(execution, action, state);
            action = static boxed => ((Boxed)boxed!).Run();
        }
        return new Continuation
        {
            _action = action,
            _state = state,
            _context = (flags & ValueTaskSourceOnCompletedFlags.UseSchedulingContext) != 0 ? SynchronizationContext.Current : null,
        };
    }

    public readonly void Run()
    {
        if (_context is null)
        {
            SynchronizationContext.SetSynchronizationContext(null); // the machine sets it anew for each goroutine that it runs
            _action!(_state);
        }
        else if (_context is Goroutine)
        {
            _action!(_state);
        }
        else
        {
            _context.Post(new SendOrPostCallback(_action!), _state);
        }
    }

    private sealed class Boxed(ExecutionContext execution, Action<object?> action, object? state)
    {
        public object? State => state;

        public void Run() => ExecutionContext.Run(execution, s_runInContext, this);

        public void Invoke() => action(state);
    }
}
