using System.Threading.Tasks.Sources;

namespace NetGo;

// Waits for the first of several sends and receives; Go's selectgo. In three passes:
//
//   1  with all channels locked, in the order of their ids: is a case ready? Looked at in random order, so that none starves
//   2  still locked: every case goes on its channel's queue
//   3  once one has happened: the other cases are taken off their queues, each under its channel's lock
//
// Who takes a case off a queue wins the select for it by swapping _state, or else throws the case away:
//
//   Idle      no wait
//   Waiting   on the queues, not awaited yet    by the caller, in pass 2
//   Parked    awaited: _parked is set           by OnCompleted, from Waiting
//   Won       _winner has happened              by one waker, from Waiting or Parked (Go's selectDone)
//
// The winner's value is written under its channel's lock after the swap. Pass 3 takes that lock too, so it sees the value,
// and after it no waker can still hold a case in hand: the select can be used again.

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
    private const int Idle = 0;
    private const int Waiting = 1;
    private const int Parked = 2;
    private const int Won = 3;

    private SelectCase[] _pollOrder = [];
    private SelectCase[] _lockOrder = [];
    private int _state;
    private short _token;
    private uint _seed = GoScheduler.NewSeed();
    private SelectCase? _winner;
    private Goroutine? _parked;
    private bool _wonParked;

    /// <summary>Adds a case that receives.</summary>
    /// <param name="channel">Where from; null for never, until the case's channel is set.</param>
    /// <exception cref="InvalidOperationException">A wait is under way.</exception>
    public ReceiveCase<T> Receive<T>(Channel<T>? channel) => Add(new ReceiveCase<T>(this, _pollOrder.Length, channel));

    /// <summary>Adds a case that sends.</summary>
    /// <param name="channel">Where to; null for never, until the case's channel is set.</param>
    /// <param name="value">What it sends, until the case's value is set.</param>
    /// <exception cref="InvalidOperationException">A wait is under way.</exception>
    public SendCase<T> Send<T>(Channel<T>? channel, T value) => Add(new SendCase<T>(this, _pollOrder.Length, channel, value));

    /// <summary>Waits until one of the cases has happened. The cases wait from this call on; the result is to be awaited,
    /// once, before the select is used again.</summary>
    /// <returns>The <see cref="SelectCase.Index"/> of the case.</returns>
    /// <exception cref="InvalidOperationException">A wait is under way.</exception>
    /// <exception cref="ChannelClosedException">A case that sends was chosen, and its channel is closed.</exception>
    public ValueTask<int> WaitAsync()
    {
        SelectCase? ready = Begin(wait: true);
        return ready is not null ? new ValueTask<int>(ready.Index) : new ValueTask<int>(this, _token);
    }

    /// <summary>Does one of the cases if one can happen now; Go's select with a default.</summary>
    /// <param name="index">The <see cref="SelectCase.Index"/> of the case; -1 when none.</param>
    /// <returns>Whether one has happened.</returns>
    /// <exception cref="InvalidOperationException">A wait is under way.</exception>
    /// <exception cref="ChannelClosedException">A case that sends was chosen, and its channel is closed.</exception>
    public bool TryWait(out int index)
    {
        SelectCase? ready = Begin(wait: false);
        index = ready?.Index ?? -1;
        return ready is not null;
    }

    internal void ThrowIfWaiting()
    {
        if (Volatile.Read(ref _state) != Idle)
            throw new InvalidOperationException("A wait of this select is under way: await it first.");
    }

    /// <summary>By who took the case off its queue, under that channel's lock: true for the first.</summary>
    internal bool TryWin(SelectCase selectCase)
    {
        while (true)
        {
            int state = Volatile.Read(ref _state);
            if (state is not (Waiting or Parked))
                return false;
            if (Interlocked.CompareExchange(ref _state, Won, state) != state)
                continue;
            _winner = selectCase;
            _wonParked = state == Parked;
            return true;
        }
    }

    /// <summary>By the winner: the goroutine to make ready; null when it had not parked.</summary>
    internal Goroutine? TakeParked() => _wonParked ? _parked : null;

    private TCase Add<TCase>(TCase added)
        where TCase : SelectCase
    {
        ThrowIfWaiting();
        _pollOrder = [.. _pollOrder, added];
        _lockOrder = [.. _lockOrder, added];
        return added;
    }

    private SelectCase? Begin(bool wait)
    {
        ThrowIfWaiting();
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
            Volatile.Write(ref _state, Waiting);
            foreach (SelectCase c in _pollOrder)
            {
                if (c.ChannelId != 0)
                    c.EnqueueLocked();
            }
        }
        UnlockAll();
        if (ready is null)
            return null;
        wake?.Scheduler.Ready(wake, next: true);
        ready.ThrowIfFailed();
        return ready;
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

    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token)
    {
        Check(token);
        return Volatile.Read(ref _state) == Won ? ValueTaskSourceStatus.Succeeded : ValueTaskSourceStatus.Pending;
    }

    void IValueTaskSource<int>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags)
    {
        Check(token);
        if (_parked is not null)
            throw new InvalidOperationException("A ValueTask was awaited twice.");
        Goroutine g = Goroutine.Park(continuation, state, WaitReason.Select, flags);
        _parked = g;
        if (Interlocked.CompareExchange(ref _state, Parked, Waiting) != Waiting)
            g.Scheduler.Ready(g, next: true);
    }

    int IValueTaskSource<int>.GetResult(short token)
    {
        Check(token);
        if (Volatile.Read(ref _state) != Won)
            throw new InvalidOperationException("A ValueTask of NetGo cannot be blocked on before it has completed: await it, or use AsTask().");
        foreach (SelectCase c in _lockOrder)
        {
            if (c.ChannelId != 0)
                c.Withdraw();
        }
        SelectCase winner = _winner!;
        _winner = null;
        _parked = null;
        _token++;
        Volatile.Write(ref _state, Idle);
        winner.ThrowIfFailed();
        return winner.Index;
    }

    private void Check(short token)
    {
        if (token != _token)
            throw new InvalidOperationException("A ValueTask was awaited twice, or after its result was taken.");
    }
}
