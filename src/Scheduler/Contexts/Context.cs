using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;

namespace NetGo;

// The tree of contexts. Every context knows its parent, for values, and its canceler: the nearest context on the way to the
// root, itself included, that can end. All that has to do with the end is kept there, so that the others need no state for it.
//
//   kind             parent   canceler            Go's
//   RootContext      none     none                backgroundCtx, todoCtx
//   ValueContext     any      its parent's        valueCtx
//   DetachedContext  any      none                withoutCancelCtx
//   CancelContext    any      itself              cancelCtx, and as its subclasses
//     DeadlineContext, TokenContext, CallbackContext   timerCtx, none, afterFuncCtx

/// <summary>Says to everything that is done for one purpose, a request for example, when to stop and why, and carries its
/// values; Go's <c>context.Context</c>. Contexts form a tree: what ends one ends all those derived from it. Passed explicitly,
/// as the first argument, as in Go: there is no ambient one. All members may be used from any thread.</summary>
/// <example><code>
/// using CancelContext ctx = Context.WithTimeout(request.Context, TimeSpan.FromSeconds(2));
/// await FetchAsync(ctx);          // a function that selects on ctx.Done or calls ctx.ThrowIfDone()
/// await client.GetAsync(url, ctx.Token); // anything of .NET
/// </code></example>
public abstract class Context
{
    private readonly CancelContext? _canceler;

    private protected Context(Context? parent, CancelContext? canceler)
    {
        Parent = parent;
        _canceler = canceler ?? this as CancelContext;
    }

    /// <summary>The root of all contexts: never done, without values. Go's context.Background.</summary>
    public static Context Background { get; } = new RootContext("Background");

    /// <summary>Like <see cref="Background"/>, where it isn't clear yet which context to use; Go's context.TODO.</summary>
    public static Context Todo { get; } = new RootContext("Todo");

    internal Context? Parent { get; }

    /// <summary>The nearest context, this one included, that can end; null when none can.</summary>
    internal CancelContext? Canceler => _canceler;

    /// <summary>Its name in <see cref="ToString"/>.</summary>
    private protected abstract string Step { get; }

    // ---- Making ----

    /// <summary>Derives a context that can be canceled; Go's WithCancel and WithCancelCause.</summary>
    /// <param name="parent">What it derives from.</param>
    /// <returns>The context. To be disposed of when what it is for has ended: until then its parent keeps it.</returns>
    public static CancelContext WithCancel(Context parent)
    {
        ArgumentNullException.ThrowIfNull(parent);
        var context = new CancelContext(parent);
        context.Attach();
        return context;
    }

    /// <summary>Derives a context that ends after a time; Go's WithTimeout and WithTimeoutCause.</summary>
    /// <param name="parent">What it derives from. Its own deadline holds when that is earlier: no timer is set then.</param>
    /// <param name="timeout">How long. It is done at once when zero or negative; <see cref="Timeout.InfiniteTimeSpan"/> is for
    /// no deadline.</param>
    /// <param name="cause">The <see cref="Cause"/> when the time has passed; null for <see cref="Err"/>.</param>
    /// <returns>The context. To be disposed of when what it is for has ended: until then its parent and a timer keep it.</returns>
    public static CancelContext WithTimeout(Context parent, TimeSpan timeout, Exception? cause = null)
    {
        ArgumentNullException.ThrowIfNull(parent);
        return DeadlineContext.Make(parent, ContextDeadline.After(GoScheduler.Current, timeout), cause);
    }

    /// <summary>Derives a context that ends at a time; Go's WithDeadline and WithDeadlineCause. The time is converted to the
    /// scheduler's monotonic clock at once: later changes of the wall clock do not move it.</summary>
    /// <param name="parent">What it derives from. Its own deadline holds when that is earlier: no timer is set then.</param>
    /// <param name="deadline">When. It is done at once when that is past.</param>
    /// <param name="cause">The <see cref="Cause"/> when the time has come; null for <see cref="Err"/>.</param>
    /// <returns>The context. To be disposed of when what it is for has ended: until then its parent and a timer keep it.</returns>
    public static CancelContext WithDeadline(Context parent, DateTimeOffset deadline, Exception? cause = null)
    {
        ArgumentNullException.ThrowIfNull(parent);
        return DeadlineContext.Make(parent, ContextDeadline.At(GoScheduler.Current, deadline), cause);
    }

    /// <summary>Derives a context with a value; Go's WithValue. For what belongs to a request and passes through code that
    /// doesn't know it, not for optional arguments.</summary>
    /// <param name="parent">What it derives from.</param>
    /// <param name="key">What the value is found by.</param>
    /// <param name="value">The value.</param>
    public static Context WithValue<T>(Context parent, ContextKey<T> key, T value)
    {
        ArgumentNullException.ThrowIfNull(parent);
        ArgumentNullException.ThrowIfNull(key);
        return new ValueContext<T>(parent, key, value);
    }

    /// <summary>Derives a context that has the values of its parent, and neither its end nor its deadline; Go's WithoutCancel.
    /// For what is to go on after the request.</summary>
    /// <param name="parent">What it derives from.</param>
    public static Context WithoutCancel(Context parent)
    {
        ArgumentNullException.ThrowIfNull(parent);
        return new DetachedContext(parent);
    }

    /// <summary>Makes a context that ends when a token is canceled.</summary>
    /// <param name="token">The token. When it is the <see cref="Token"/> of a context, <see cref="Err"/> and <see cref="Cause"/>
    /// are that context's; else Err is a <see cref="ContextCanceledException"/> with this token.</param>
    /// <returns>The context. To be disposed of: until then the token keeps it.</returns>
    public static CancelContext FromToken(CancellationToken token) => WithToken(Background, token);

    /// <summary>Derives a context that ends with its parent or when a token is canceled, whichever comes first.</summary>
    /// <param name="parent">What it derives from.</param>
    /// <param name="token">The token; see <see cref="FromToken"/>.</param>
    /// <returns>The context. To be disposed of: until then the parent and the token keep it.</returns>
    public static CancelContext WithToken(Context parent, CancellationToken token)
    {
        ArgumentNullException.ThrowIfNull(parent);
        var context = new TokenContext(parent);
        context.Attach();
        context.Register(token);
        return context;
    }

    /// <summary>Runs a function in a goroutine of its own once a context is done, at once when it is done already; Go's
    /// context.AfterFunc. The goroutine belongs to the scheduler that is current now and inherits the caller's
    /// <see cref="ExecutionContext"/>.</summary>
    /// <param name="context">What to wait for.</param>
    /// <param name="body">What to run. See <see cref="Go.Spawn(Func{Task}, string, int)"/>.</param>
    /// <param name="file">Filled in by the compiler.</param>
    /// <param name="line">Filled in by the compiler.</param>
    public static ContextRegistration AfterFunc(
        Context context, Func<Task> body, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(body);
        var callback = new CallbackContext(context, body, file, line);
        callback.Attach();
        return new ContextRegistration(callback);
    }

    // ---- State ----

    /// <summary>Whether it has ended.</summary>
    public bool IsDone => Err is not null;

    /// <summary>How it has ended: null as long as it has not, then for ever a <see cref="ContextCanceledException"/> or a
    /// <see cref="ContextDeadlineExceededException"/>. Go's Err. To be looked at; to throw, use
    /// <see cref="ThrowIfDone"/>.</summary>
    public Exception? Err => _canceler?.ErrOfItsOwn;

    /// <summary>Why it has ended: what was given to <see cref="CancelContext.Cancel"/> or as a deadline's cause, by whatever
    /// came first, here or on the way to the root; <see cref="Err"/> when nothing was. Go's context.Cause.</summary>
    public Exception? Cause => _canceler?.CauseOfItsOwn;

    /// <summary>When it will end at the latest, by the wall clock, for showing and passing on; null for no such time.
    /// Go's Deadline.</summary>
    public DateTimeOffset? Deadline => _canceler?.DeadlineOfItsOwn?.WallTime;

    /// <summary>A channel that is closed when the context ends; null, which in a <see cref="Select"/> never happens, when it
    /// cannot end. Go's Done. It is the context's: not to be sent on or closed.</summary>
    public Channel<bool>? Done => _canceler?.DoneOfItsOwn;

    /// <summary>A token that is canceled when the context ends; <see cref="CancellationToken.None"/> when it cannot end. Made
    /// when it is first asked for. It is canceled a moment after <see cref="IsDone"/> becomes true, on the thread that cancels
    /// the context, and what is registered with it runs there, when the whole tree below has ended; in a goroutine of its own
    /// when a deadline has passed.</summary>
    public CancellationToken Token => _canceler?.TokenOfItsOwn ?? default;

    /// <summary>Throws if it has ended.</summary>
    /// <exception cref="ContextCanceledException">It was canceled. It has this context's <see cref="Token"/>; the inner
    /// exception is the cause, if one was given.</exception>
    /// <exception cref="ContextDeadlineExceededException">Its deadline has passed. The inner exception is the cause, if one was
    /// given.</exception>
    public void ThrowIfDone()
    {
        if (IsDone)
            throw NewError();
    }

    /// <summary>Waits until it has ended. Never completes when it cannot end.</summary>
    /// <param name="cancellationToken">Withdraws the wait.</param>
    /// <exception cref="OperationCanceledException"><paramref name="cancellationToken"/> was canceled first.</exception>
    public ValueTask WaitDoneAsync(CancellationToken cancellationToken = default) => _canceler is null
        ? new Latch().WaitAsync(WaitReason.Forever, cancellationToken)
        : _canceler.WaitOfItsOwn(cancellationToken);

    /// <summary>An exception like <see cref="Err"/>, to be thrown once: Err itself may be thrown by many at a time.</summary>
    internal Exception NewError()
    {
        Exception? cause = Cause == Err ? null : Cause;
        return Err is ContextDeadlineExceededException ? ContextDeadlineExceededException.For(cause) : ContextCanceledException.For(cause, Token);
    }

    // ---- Values ----

    /// <summary>The value of a key in this context; the default when it has none. Go's Value.</summary>
    /// <param name="key">The key.</param>
    public T? Value<T>(ContextKey<T> key) => TryGetValue(key, out T? value) ? value : default;

    /// <summary>Looks a key's value up.</summary>
    /// <param name="key">The key.</param>
    /// <param name="value">The value that was given last on the way to the root; the default when there is none.</param>
    /// <returns>Whether there is one.</returns>
    public bool TryGetValue<T>(ContextKey<T> key, [MaybeNullWhen(false)] out T value)
    {
        ArgumentNullException.ThrowIfNull(key);
        for (Context? context = this; context is not null; context = context.Parent)
        {
            if (context is ValueContext<T> holder && holder.Key == key)
            {
                value = holder.Value;
                return true;
            }
        }
        value = default;
        return false;
    }

    /// <summary>How it was made, like "Background.WithCancel.WithValue(user)".</summary>
    public override string ToString()
    {
        var steps = new List<string>();
        for (Context? context = this; context is not null; context = context.Parent)
            steps.Add(context.Step);
        steps.Reverse();
        return string.Join('.', steps);
    }
}
