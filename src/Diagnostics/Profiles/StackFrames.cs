namespace NetGo.Diagnostics;

/// <summary>Takes from the stack of a thread what says nothing: how the runtime begins an async method and goes on with it, and where it
/// stopped the thread to look at it.</summary>
internal static class StackFrames
{
    private static readonly string[] s_plumbing =
    [
        "System.Runtime.CompilerServices.Async",
        "System.Runtime.CompilerServices.PoolingAsync",
        "System.Threading.ExecutionContext.Run",
        "System.Threading.Tasks.AwaitTaskContinuation.",
        "System.Threading.Thread.PollGC",
        "System.Threading.ThreadPool..cctor", // the lambda that calls a box
    ];

    public static List<GoroutineFrame> Clean(IEnumerable<GoroutineFrame> frames)
    {
        var clean = new List<GoroutineFrame>();
        bool plumbingBefore = false;
        foreach (GoroutineFrame frame in frames)
        {
            bool plumbing = Array.Exists(s_plumbing, start => frame.Method.StartsWith(start, StringComparison.Ordinal));
            // An async method that begins is there twice: its state machine, and what its caller has called.
            bool again = plumbingBefore && clean is [.., var last] && last.Method == frame.Method;
            if (!plumbing && !again)
                clean.Add(frame);
            plumbingBefore = plumbing;
        }
        return clean;
    }
}
