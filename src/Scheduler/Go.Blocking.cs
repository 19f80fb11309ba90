namespace NetGo;

public static partial class Go
{
    /// <summary>Runs code that blocks its thread: a system call, a lock of another library, native code. When it takes longer than
    /// 20 us, other goroutines go on on another thread. Go's entersyscall and exitsyscall. Without it a blocked thread is found too
    /// (see <see cref="GoScheduler.HandOffCount"/>), only later. On a thread that runs no goroutine it just runs the code.</summary>
    /// <param name="action">What blocks. It runs at once, on this thread.</param>
    public static void Blocking(Action action)
    {
        ArgumentNullException.ThrowIfNull(action);
        Machine? machine = Machine.OfThisThread;
        if (machine is null || !machine.TryEnterSyscall())
        {
            action();
            return;
        }
        try
        {
            action();
        }
        finally
        {
            machine.ExitSyscall();
        }
    }

    /// <inheritdoc cref="Blocking(Action)"/>
    /// <param name="function">What blocks. It runs at once, on this thread.</param>
    /// <returns>What it returned.</returns>
    public static T Blocking<T>(Func<T> function)
    {
        ArgumentNullException.ThrowIfNull(function);
        Machine? machine = Machine.OfThisThread;
        if (machine is null || !machine.TryEnterSyscall())
            return function();
        try
        {
            return function();
        }
        finally
        {
            machine.ExitSyscall();
        }
    }

    /// <summary>Keeps the running goroutine on the thread that it is on, and all others off it, until it has called
    /// <see cref="UnlockOSThread"/> as often; Go's runtime.LockOSThread. For native code that keeps state per thread. A
    /// goroutine that ends without unlocking takes the thread with it. Each time that it parks costs two thread switches.</summary>
    /// <exception cref="InvalidOperationException">No goroutine runs here: this is another thread, or the code has called something
    /// that waits and has not awaited it. Or other code of the same goroutine has locked another thread.</exception>
    public static void LockOSThread()
    {
        if (Machine.OfThisThread is not { } machine || !machine.TryLock())
            throw new InvalidOperationException("LockOSThread needs a goroutine: call it where one runs, before anything that it has not awaited yet.");
    }

    /// <summary>Undoes one <see cref="LockOSThread"/>; Go's runtime.UnlockOSThread.</summary>
    /// <exception cref="InvalidOperationException">The running goroutine has not locked its thread.</exception>
    public static void UnlockOSThread()
    {
        if (Machine.OfThisThread is not { } machine || !machine.TryUnlock())
            throw new InvalidOperationException("The running goroutine has not locked its thread: each UnlockOSThread needs a LockOSThread before it.");
    }
}
