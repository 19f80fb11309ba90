namespace NetGo;

// A context that can end; Go's cancelCtx.
//
// _err is null until the end and never changes after that; it and all the rest is written under _lock, and _err read without.
// What tells others of the end (_done, _latch, _tokenSource) is made when it is first asked for.
//
// A context that has not ended is in its parent's _children; ended, it is not, and has none itself. Ending goes in three steps:
//
//   1  under the locks of the whole subtree, taken from parents to children: all of them get their _err. No user code, no
//      wake. So once any Cancel has returned, and whoever else was canceling at the same time, the whole subtree has ended
//   2  without locks, parents first: timers and registrations go, goroutines that wait are made ready, callbacks spawned
//   3  the token sources are canceled, which calls users' code: on the canceling thread as .NET does, but never by a timer
//
// A thread that has a context's lock takes only the locks of contexts below it.

/// <summary>A context that can be canceled. Made by <see cref="Context.WithCancel"/> and its like.</summary>
public class CancelContext : Context, IDisposable
{
    // For those who ask for a channel after the end.
    private static readonly Channel<bool> s_closed = MakeClosed();

    private readonly Lock _lock = new();
    private readonly ContextDeadline? _deadline;
    private readonly CancelContext? _parentCanceler;
    private LinkedList<CancelContext>? _children;
    private Exception? _err;
    private Exception? _cause;
    private Channel<bool>? _done;
    private Latch? _latch;
    private ContextTokenSource? _tokenSource;

    // Its place among the parent's children. Guarded by the parent's lock.
    private LinkedListNode<CancelContext>? _place;

    internal CancelContext(Context parent)
        : this(parent, parent.Canceler?._deadline)
    {
    }

    private protected CancelContext(Context parent, ContextDeadline? deadline)
        : base(parent, null)
    {
        _parentCanceler = parent.Canceler;
        _deadline = deadline;
    }

    private protected override string Step => "WithCancel";

    internal ContextDeadline? DeadlineOfItsOwn => _deadline;

    internal Exception? ErrOfItsOwn => Volatile.Read(ref _err);

    internal Exception? CauseOfItsOwn => Volatile.Read(ref _err) is { } err ? _cause ?? err : null;

    /// <summary>The number of contexts that this one would end.</summary>
    internal int ChildCount
    {
        get
        {
            lock (_lock)
                return _children?.Count ?? 0;
        }
    }

    internal Channel<bool> DoneOfItsOwn
    {
        get
        {
            lock (_lock)
                return _done ?? (_err is not null ? s_closed : _done = Channel.Make<bool>());
        }
    }

    internal CancellationToken TokenOfItsOwn
    {
        get
        {
            lock (_lock)
            {
                if (_tokenSource is null)
                {
                    _tokenSource = new ContextTokenSource(this);
                    if (_err is not null)
                        _tokenSource.Cancel(); // nobody has registered yet
                }
                return _tokenSource.Token;
            }
        }
    }

    internal ValueTask WaitOfItsOwn(CancellationToken cancellationToken)
    {
        Latch latch;
        lock (_lock)
            latch = _latch ??= new Latch();
        if (IsDone)
            latch.Set(); // Announce may not have seen it
        return latch.WaitAsync(WaitReason.ChannelReceive, cancellationToken);
    }

    /// <summary>Ends it and all that derive from it, which have ended when this returns; what they are for may still be
    /// stopping. Does nothing when it has ended already. Go's CancelFunc and CancelCauseFunc.</summary>
    /// <param name="cause">The <see cref="Context.Cause"/>; null for <see cref="Context.Err"/>.</param>
    /// <exception cref="AggregateException">What callbacks registered with a <see cref="Context.Token"/> threw. All have been
    /// called, and all contexts have ended.</exception>
    public void Cancel(Exception? cause = null)
    {
        if (!IsDone)
            Finish(ContextCanceledException.For(cause, default), cause);
        else
            WaitForSubtree();
    }

    /// <summary>Cancels it: its parent keeps it no longer. Go's <c>defer cancel()</c>.</summary>
    public void Dispose()
    {
        Cancel();
        GC.SuppressFinalize(this);
    }

    // Who is ending it holds the lock until all below have ended.
    private void WaitForSubtree()
    {
        _lock.Enter();
        _lock.Exit();
    }

    private static Channel<bool> MakeClosed()
    {
        Channel<bool> channel = Channel.Make<bool>();
        channel.Close();
        return channel;
    }

    /// <summary>Makes it a child of its parent; ends it if the parent has ended. After what the subclass holds is held.</summary>
    internal void Attach()
    {
        if (_parentCanceler is not { } parent)
            return;
        Exception? parentErr;
        lock (parent._lock)
        {
            parentErr = parent._err;
            if (parentErr is null)
                _place = (parent._children ??= new LinkedList<CancelContext>()).AddLast(this);
        }
        if (parentErr is not null)
            Finish(parentErr, parent._cause);
        else if (IsDone)
            Detach(); // ended of its own meanwhile, and may not have found its place
    }

    private void Detach()
    {
        if (_parentCanceler is not { } parent)
            return;
        lock (parent._lock)
        {
            if (_place is { List: not null } place)
                place.List.Remove(place);
            _place = null;
        }
    }

    /// <summary>Runs <paramref name="action"/> unless the context has ended, which it cannot do meanwhile.</summary>
    private protected bool IfNotDone<TState>(Action<TState> action, TState state)
    {
        lock (_lock)
        {
            if (_err is not null)
                return false;
            action(state);
            return true;
        }
    }

    /// <summary>In step 2: gives up what a subclass holds. Under no lock; must not call users' code.</summary>
    private protected virtual void Release()
    {
    }

    /// <summary>Ends it and all that derive from it, in the way told above.</summary>
    /// <exception cref="AggregateException">What callbacks of tokens threw.</exception>
    internal void Finish(Exception err, Exception? cause)
    {
        if (FinishWithoutTokens(err, cause) is { } finished)
            CancelTokens(finished);
    }

    /// <summary>Steps 1 and 2, without users' code. Null when it had ended already.</summary>
    private protected List<CancelContext>? FinishWithoutTokens(Exception err, Exception? cause)
    {
        List<CancelContext>? finished = EndSubtree(err, cause);
        if (finished is null)
            return null;
        Detach();
        foreach (CancelContext context in finished)
            context.Announce();
        return finished;
    }

    /// <summary>Step 3.</summary>
    private protected static void CancelTokens(List<CancelContext> finished)
    {
        List<Exception>? failures = null;
        foreach (CancelContext context in finished)
        {
            try
            {
                context._tokenSource?.Cancel();
            }
            catch (AggregateException e)
            {
                (failures ??= []).AddRange(e.InnerExceptions);
            }
        }
        if (failures is not null)
            throw new AggregateException(failures);
    }

    private protected static bool AnyHasToken(List<CancelContext> finished) => finished.Exists(static context => context._tokenSource is not null);

    // Breadth first, each locked until all have ended. Not recursive: a tree may be deeper than a stack.
    private List<CancelContext>? EndSubtree(Exception err, Exception? cause)
    {
        if (!EnterAndEnd(err, cause))
            return null;
        List<CancelContext> ended = [this];
        for (int i = 0; i < ended.Count; i++)
        {
            LinkedList<CancelContext>? children = ended[i]._children;
            if (children is null)
                continue;
            foreach (CancelContext child in children)
            {
                if (child.EnterAndEnd(err, cause))
                    ended.Add(child);
            }
            children.Clear();
            ended[i]._children = null;
        }
        for (int i = ended.Count - 1; i >= 0; i--)
            ended[i]._lock.Exit();
        return ended;
    }

    /// <summary>Ends it alone, and leaves it locked; false, and not locked, when it had ended before.</summary>
    private bool EnterAndEnd(Exception err, Exception? cause)
    {
        _lock.Enter();
        if (_err is not null)
        {
            _lock.Exit();
            return false;
        }
        _cause = cause;
        Volatile.Write(ref _err, err);
        return true;
    }

    private void Announce()
    {
        Release();
        _done?.Close();
        _latch?.Set();
    }
}
