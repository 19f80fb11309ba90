using System.Threading.Tasks.Sources;

namespace NetGo;

// Waits for the first of several sends and receives; Go's selectgo. In three passes:
//
//   1  with all channels locked, in the order of their ids: is a case ready? Looked at in random order, so that none starves
//   2  still locked: every case goes on its channel's queue
//   3  once one has happened: the other cases are taken off their queues, each under its channel's lock
//
// Who takes a case off a queue wins the select for it by moving its phase, or else throws the case away:
//
//   Idle      no wait
//   Waiting   on the queues, not awaited yet    by the caller, in pass 2
//   Parked    awaited: _parked is set           by OnCompleted, from Waiting
//   Won       _winner has happened              by one waker, from Waiting or Parked (Go's selectDone)
//   TimedOut  no case shall happen any more     by the timer, from Waiting or Parked
//   Canceled  the same                          by the token, from Waiting or Parked
//   Done      _winner has happened at once,     by the caller, in pass 1
//             but the await shall yield
//
// The winner's value is written under its channel's lock after the phase. Pass 3 takes that lock too, so it sees the value,
// and after it no waker can still hold a case in hand: the select can be used again. A timer or a token's callback can be late:
// so the phase shares its word with the number of the wait, and they move only that of the wait that they were armed for.

/// <summary>Waits for the first of several sends and receives to become possible and does it; Go's <c>select</c> statement.
/// To be kept and used again: then a wait allocates nothing. For one goroutine; not thread-safe.</summary>
/// <example><code>
/// var select = new Select();
/// ReceiveCase&lt;int&gt; number = select.Receive(numbers);
/// ReceiveCase&lt;bool&gt; quit = select.Receive(quits);
/// while (await select.WaitAsync() == number.Index)
///     Use(number.Value);
/// </code></example>
public sealed class Select : IValueTaskSource<int>
{
    private const int PhaseBits = 3;
    private const int PhaseMask = (1 << PhaseBits) - 1;

    private SelectCase[] _pollOrder = [];
    private SelectCase[] _lockOrder = [];
    private int _state;
    private uint _seed = GoScheduler.NewSeed();
    private SelectCase? _winner;
    private Goroutine? _parked;
    private bool _wonParked;
    private bool _timed;
    private CancellationToken _cancellationToken;
    private SelectInterrupt? _interrupt;
    private bool _armed;

    // ---- Cases ----

    /// <summary>Adds a case that receives.</summary>
    /// <param name="channel">Where from; null for never, until the case's channel is set.</param>
    /// <exception cref="InvalidOperationException">A wait is under way.</exception>
    public ReceiveCase<T> Receive<T>(Channel<T>? channel) => Receive((ReceiveChannel<T>)channel);

    /// <inheritdoc cref="Receive{T}(Channel{T}?)"/>
    public ReceiveCase<T> Receive<T>(ReceiveChannel<T> channel) => Add(new ReceiveCase<T>(this, _pollOrder.Length, channel));

    /// <summary>Adds a case that sends.</summary>
    /// <param name="channel">Where to; null for never, until the case's channel is set.</param>
    /// <param name="value">What it sends, until the case's value is set.</param>
    /// <exception cref="InvalidOperationException">A wait is under way.</exception>
    public SendCase<T> Send<T>(Channel<T>? channel, T value) => Send((SendChannel<T>)channel, value);

    /// <inheritdoc cref="Send{T}(Channel{T}?, T)"/>
    public SendCase<T> Send<T>(SendChannel<T> channel, T value) => Add(new SendCase<T>(this, _pollOrder.Length, channel, value));

    // ---- Waiting ----

    /// <summary>Waits until one of the cases has happened; for ever when there are none. The cases wait from this call on; the
    /// result is to be awaited, once, before the select is used again.</summary>
    /// <param name="cancellationToken">Ends the wait: no case happens then.</param>
    /// <returns>The <see cref="SelectCase.Index"/> of the case.</returns>
    /// <exception cref="InvalidOperationException">A wait is under way.</exception>
    /// <exception cref="ChannelClosedException">A case that sends was chosen, and its channel is closed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before one had happened.</exception>
    public ValueTask<int> WaitAsync(CancellationToken cancellationToken = default) =>
        WaitAsync(Timeout.InfiniteTimeSpan, cancellationToken);

    /// <summary>Waits until one of the cases has happened, but no longer than a time; Go's select with a
    /// <c>case &lt;-time.After(timeout)</c>. Allocates nothing for it.</summary>
    /// <param name="timeout">How long, from this call on; <see cref="Timeout.InfiniteTimeSpan"/> for ever. With zero or a
    /// negative one a case happens if it can at once.</param>
    /// <param name="cancellationToken">Ends the wait: no case happens then.</param>
    /// <returns>The <see cref="SelectCase.Index"/> of the case; -1 when the time was up: then none has happened.</returns>
    /// <exception cref="InvalidOperationException">A wait is under way.</exception>
    /// <exception cref="ChannelClosedException">A case that sends was chosen, and its channel is closed.</exception>
    /// <exception cref="OperationCanceledException">The token was cancelled before one had happened.</exception>
    public ValueTask<int> WaitAsync(TimeSpan timeout, CancellationToken cancellationToken = default)
    {
        ThrowIfWaiting();
        if (cancellationToken.IsCancellationRequested)
            return ValueTask.FromCanceled<int>(cancellationToken);
        bool polls = timeout <= TimeSpan.Zero && timeout != Timeout.InfiniteTimeSpan;
        _timed = timeout != Timeout.InfiniteTimeSpan;
        SelectCase? ready = Begin(wait: !polls);
        if (ready is not null || polls)
            return CompleteAtOnce(ready);
        if (_timed || cancellationToken.CanBeCanceled)
        {
            _cancellationToken = cancellationToken;
            _armed = true;
            _interrupt ??= new SelectInterrupt(this);
            _interrupt.Arm(WaitNumber, timeout, cancellationToken);
        }
        return new ValueTask<int>(this, Token);
    }

    private ValueTask<int> CompleteAtOnce(SelectCase? ready)
    {
        if (Machine.SpendBudget())
        {
            _winner = ready;
            SetPhase(SelectPhase.Done);
            return new ValueTask<int>(this, Token);
        }
        try
        {
            return new ValueTask<int>(Result(ready));
        }
        catch (ChannelClosedException e)
        {
            return ValueTask.FromException<int>(e);
        }
    }

    private static int Result(SelectCase? happened)
    {
        happened?.ThrowIfFailed();
        return happened?.Index ?? -1;
    }

    /// <summary>Does one of the cases if one can happen now; Go's select with a default.</summary>
    /// <param name="index">The <see cref="SelectCase.Index"/> of the case; -1 when none.</param>
    /// <returns>Whether one has happened.</returns>
    /// <exception cref="InvalidOperationException">A wait is under way.</exception>
    /// <exception cref="ChannelClosedException">A case that sends was chosen, and its channel is closed.</exception>
    public bool TryWait(out int index)
    {
        ThrowIfWaiting();
        index = Result(Begin(wait: false));
        return index >= 0;
    }

    internal void ThrowIfWaiting()
    {
        if (Phase != SelectPhase.Idle)
            throw new InvalidOperationException("A wait of this select is under way: await it first.");
    }

    /// <summary>By who took the case off its queue, under that channel's lock: true for the first.</summary>
    internal bool TryWin(SelectCase selectCase)
    {
        if (!TryDecide(WaitNumber, SelectPhase.Won, out bool wasParked))
            return false;
        _winner = selectCase;
        _wonParked = wasParked;
        return true;
    }

    /// <summary>By the timer or the token: ends the wait, if it is still this one and nobody has decided it.</summary>
    internal void Interrupt(int waitNumber, SelectPhase outcome)
    {
        if (TryDecide(waitNumber, outcome, out bool wasParked) && wasParked)
            _parked!.Scheduler.Ready(_parked, next: false);
    }

    private bool TryDecide(int waitNumber, SelectPhase outcome, out bool wasParked)
    {
        while (true)
        {
            int state = Volatile.Read(ref _state);
            SelectPhase phase = PhaseOf(state);
            wasParked = phase == SelectPhase.Parked;
            if (phase is not (SelectPhase.Waiting or SelectPhase.Parked) || state >> PhaseBits != waitNumber)
                return false;
            if (Interlocked.CompareExchange(ref _state, WithPhase(state, outcome), state) == state)
                return true;
        }
    }

    /// <summary>By the winner: the goroutine to make ready; null when it had not parked.</summary>
    internal Goroutine? TakeParked() => _wonParked ? _parked : null;

    private TCase Add<TCase>(TCase added)
        where TCase : SelectCase
    {
        _pollOrder = [.. _pollOrder, added];
        _lockOrder = [.. _lockOrder, added];
        return added;
    }

    // Passes 1 and, when told to wait, 2.
    private SelectCase? Begin(bool wait)
    {
        Sort(_lockOrder);
        Shuffle(_pollOrder);
        LockAll();
        SelectCase? ready = null;
        Goroutine? wake = null;
        foreach (SelectCase c in _pollOrder)
        {
            if (c.ChannelId == 0 || !c.TryLocked(out wake))
                continue;
            ready = c;
            break;
        }
        if (ready is null && wait)
        {
            SetPhase(SelectPhase.Waiting);
            foreach (SelectCase c in _pollOrder)
            {
                if (c.ChannelId != 0)
                    c.EnqueueLocked();
            }
        }
        UnlockAll();
        wake?.Scheduler.Ready(wake, next: true);
        if (ready is not null)
            ready.TellObservers();
        else if (wait)
            TellObservers();
        return ready;
    }

    private void TellObservers()
    {
        foreach (SelectCase c in _lockOrder)
        {
            if (c.ChannelId != 0)
                c.TellObservers();
        }
    }

    private void LockAll()
    {
        long last = 0;
        foreach (SelectCase c in _lockOrder)
        {
            if (c.ChannelId == last)
                continue; // none, or locked already
            last = c.ChannelId;
            c.Enter();
        }
    }

    private void UnlockAll()
    {
        long last = 0;
        foreach (SelectCase c in _lockOrder)
        {
            if (c.ChannelId == last)
                continue;
            last = c.ChannelId;
            c.Exit();
        }
    }

    // By insertion: there are few cases, and they are in order already unless a channel was changed.
    private static void Sort(SelectCase[] cases)
    {
        for (int i = 1; i < cases.Length; i++)
        {
            SelectCase c = cases[i];
            int k = i;
            for (; k > 0 && cases[k - 1].ChannelId > c.ChannelId; k--)
                cases[k] = cases[k - 1];
            cases[k] = c;
        }
    }

    private void Shuffle(SelectCase[] cases)
    {
        for (int i = 1; i < cases.Length; i++)
        {
            _seed ^= _seed << 13;
            _seed ^= _seed >> 17;
            _seed ^= _seed << 5;
            int k = (int)(((ulong)_seed * (uint)(i + 1)) >> 32);
            (cases[i], cases[k]) = (cases[k], cases[i]);
        }
    }

    // ---- The phase, and the number of the wait above it ----

    private SelectPhase Phase => PhaseOf(Volatile.Read(ref _state));

    private int WaitNumber => Volatile.Read(ref _state) >> PhaseBits;

    private short Token => (short)WaitNumber;

    private static SelectPhase PhaseOf(int state) => (SelectPhase)(state & PhaseMask);

    private static int WithPhase(int state, SelectPhase phase) => (state & ~PhaseMask) | (int)phase;

    /// <summary>By the caller, while nobody else can move it.</summary>
    private void SetPhase(SelectPhase phase) => Volatile.Write(ref _state, WithPhase(_state, phase));

    private void EndWait() => Volatile.Write(ref _state, unchecked(WithPhase(_state, SelectPhase.Idle) + (1 << PhaseBits)));

    // ---- What the caller awaits ----

    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token)
    {
        Check(token);
        return Phase switch
        {
            SelectPhase.Won or SelectPhase.TimedOut => ValueTaskSourceStatus.Succeeded,
            SelectPhase.Done when _parked is not null => ValueTaskSourceStatus.Succeeded,
            SelectPhase.Canceled => ValueTaskSourceStatus.Canceled,
            _ => ValueTaskSourceStatus.Pending,
        };
    }

    void IValueTaskSource<int>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        Check(token);
        if (_parked is not null)
            throw new InvalidOperationException("A ValueTask was awaited twice.");
        bool yields = Phase == SelectPhase.Done;
        Goroutine g = Goroutine.Park(continuation, state, yields ? WaitReason.Yield : WaitReasonOfCases(), flags);
        _parked = g;
        if (yields)
        {
            g.Scheduler.Ready(g, next: false);
            return;
        }
        int waiting = WithPhase(_state, SelectPhase.Waiting);
        if (Interlocked.CompareExchange(ref _state, WithPhase(waiting, SelectPhase.Parked), waiting) != waiting)
            g.Scheduler.Ready(g, next: true);
    }

    private WaitReason WaitReasonOfCases() =>
        _timed || Array.Exists(_lockOrder, static c => c.ChannelId != 0) ? WaitReason.Select : WaitReason.Forever;

    int IValueTaskSource<int>.GetResult(short token)
    {
        Check(token);
        SelectPhase outcome = Phase;
        if (outcome is SelectPhase.Idle or SelectPhase.Waiting or SelectPhase.Parked)
            throw new InvalidOperationException("A ValueTask of NetGo cannot be blocked on before it has completed: await it, or use AsTask().");
        if (outcome != SelectPhase.Done)
            WithdrawAll();
        if (_armed && !_interrupt!.Disarm(outcome))
            _interrupt = null;
        CancellationToken cancellationToken = _cancellationToken;
        SelectCase? winner = _winner;
        _armed = false;
        _cancellationToken = default;
        _winner = null;
        _parked = null;
        EndWait();
        if (outcome == SelectPhase.Canceled)
            throw new OperationCanceledException(cancellationToken);
        return Result(winner);
    }

    private void WithdrawAll()
    {
        foreach (SelectCase c in _lockOrder)
        {
            if (c.ChannelId != 0)
                c.Withdraw();
        }
    }

    private void Check(short token)
    {
        if (token != Token)
            throw new InvalidOperationException("A ValueTask was awaited twice, or after its result was taken.");
    }
}
