using System.Runtime.CompilerServices;

namespace NetGo;

/// <summary>Goroutines on the current scheduler: what Go has as the <c>go</c> statement and in package runtime. All members
/// may be used from any thread.</summary>
public static partial class Go
{
    /// <summary>Starts a goroutine; Go's <c>go</c> statement. It inherits the caller's <see cref="ExecutionContext"/>.</summary>
    /// <param name="body">What it runs. An exception that it throws ends the process unless
    /// <see cref="GoScheduler.UnhandledException"/> is handled.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    public static void Spawn(Func<Task> body, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        GoScheduler.Current.Spawn(body, file, line);

    /// <inheritdoc cref="GoScheduler.Spawn(Func{object?, Task}, object?, string, int)"/>
    public static void Spawn(Func<object?, Task> body, object? state, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        GoScheduler.Current.Spawn(body, state, file, line);

    /// <inheritdoc cref="GoScheduler.Spawn(Action, string, int)"/>
    public static void Spawn(Action body, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        GoScheduler.Current.Spawn(body, file, line);

    /// <inheritdoc cref="GoScheduler.RunAsync(Func{Task}, string, int)"/>
    public static Task RunAsync(Func<Task> body, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        GoScheduler.Current.RunAsync(body, file, line);

    /// <inheritdoc cref="GoScheduler.RunAsync{T}(Func{Task{T}}, string, int)"/>
    public static Task<T> RunAsync<T>(Func<Task<T>> body, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        GoScheduler.Current.RunAsync(body, file, line);

    /// <summary>Lets the other goroutines that are ready run first; Go's Gosched. To be awaited at once. On a thread that runs
    /// no goroutine the continuation goes through the scheduler and back.</summary>
    public static ValueTask YieldAsync() =>
        Machine.OfThisThread?.Current is { } g ? g.YieldAsync() : new ValueTask(new WaitOperation(0), 0);

    /// <summary>As <see cref="YieldAsync()"/>, for an operation that has its result already.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    internal static async ValueTask<T> YieldAsync<T>(T result)
    {
        await YieldAsync();
        return result;
    }

    /// <summary>The number of goroutines that exist; Go's runtime.NumGoroutine.</summary>
    public static long NumGoroutine => GoScheduler.Current.GoroutineCount;

    /// <summary>The number of processors; Go's runtime.GOMAXPROCS(0).</summary>
    public static int MaxProcs => GoScheduler.Current.MaxProcs;
}
