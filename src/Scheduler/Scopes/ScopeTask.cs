using System.Runtime.CompilerServices;
using System.Runtime.ExceptionServices;

namespace NetGo;

/// <summary>A task with a result that a <see cref="TaskScope"/> runs. To be awaited any number of times, or not at all: its
/// failure is the scope's in any case. All members may be used from any thread.</summary>
public sealed class ScopeTask<T>
{
    private readonly Latch _ended = new();
    private ExceptionDispatchInfo? _failure;
    private T? _result;

    internal ScopeTask(string path) => Path = path;

    /// <summary>Its name and those of the scopes and tasks that it is in, "root/fetch/part-3".</summary>
    public string Path { get; }

    /// <summary>Whether it has ended, in whatever way.</summary>
    public bool IsCompleted => _ended.IsSet;

    /// <summary>Waits for its end. What it threw is thrown here, too.</summary>
    /// <param name="cancellationToken">Withdraws the wait, not the task.</param>
    public ValueTask<T> WaitAsync(CancellationToken cancellationToken = default)
    {
        if (IsCompleted && _failure is null && !cancellationToken.IsCancellationRequested && !Machine.SpendBudget())
            return new ValueTask<T>(_result!);
        return WaitAndTakeAsync(cancellationToken);
    }

    /// <summary>Lets it be awaited.</summary>
#pragma warning disable CA2012 // each await takes a new one, once
    public ValueTaskAwaiter<T> GetAwaiter() => WaitAsync().GetAwaiter();
#pragma warning restore CA2012

    internal void Complete(T result)
    {
        _result = result;
        _ended.Set();
    }

    internal void Fail(Exception e)
    {
        _failure = ExceptionDispatchInfo.Capture(e);
        _ended.Set();
    }

    private async ValueTask<T> WaitAndTakeAsync(CancellationToken cancellationToken)
    {
        await _ended.WaitAsync(WaitReason.Scope, cancellationToken);
        _failure?.Throw();
        return _result!;
    }
}
