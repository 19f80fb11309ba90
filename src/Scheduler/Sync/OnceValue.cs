using System.Runtime.ExceptionServices;

namespace NetGo;

/// <summary>A value that is made when it is first asked for, once; Go's sync.OnceValue. Those who ask while it is made wait for it.
/// An exception is remembered like a value, and thrown to all who ask. All members may be used from any thread. Waiting holds
/// no thread.</summary>
public sealed class OnceValue<T>
{
    private readonly Once _once = new();
    private Func<Task<T>>? _make;
    private T _value = default!;
    private ExceptionDispatchInfo? _error;

    /// <summary>Makes one; the value is not made yet.</summary>
    /// <param name="make">What makes the value. Let go of once it has.</param>
    public OnceValue(Func<Task<T>> make)
    {
        ArgumentNullException.ThrowIfNull(make);
        _make = make;
    }

    /// <summary>Makes one; the value is not made yet.</summary>
    /// <param name="make">What makes the value. Let go of once it has.</param>
    public OnceValue(Func<T> make)
    {
        ArgumentNullException.ThrowIfNull(make);
        _make = () => Task.FromResult(make());
    }

    /// <summary>The value, which the first call makes. The result is to be awaited once.</summary>
    /// <param name="cancellationToken">Ends the wait for a value that another caller makes; it has no effect on the making.</param>
    /// <exception cref="OperationCanceledException">The token was cancelled before the value was there.</exception>
    public ValueTask<T> GetAsync(CancellationToken cancellationToken = default)
    {
        if (_once.IsDone && _error is null && !cancellationToken.IsCancellationRequested && !Machine.SpendBudget())
            return new ValueTask<T>(_value);
        return WaitAsync(_once.DoAsync(MakeAsync, cancellationToken));
    }

    private async ValueTask<T> WaitAsync(ValueTask made)
    {
        await made;
        _error?.Throw();
        return _value;
    }

    // Once says that it is done after this has returned, and makes these writes visible with that.
    private async Task MakeAsync()
    {
        try
        {
            _value = await _make!();
        }
        catch (Exception e)
        {
            _error = ExceptionDispatchInfo.Capture(e);
        }
        _make = null;
    }
}
