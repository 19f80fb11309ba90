namespace NetGo.Interleaving;

/// <summary>A thread of a run: a real one, that runs only while it has the turn. Used again for later runs.</summary>
internal sealed class VirtualThread
{
    [ThreadStatic]
    private static VirtualThread? t_current;

    private readonly SemaphoreSlim _turn = new(0);
    private Action? _body;
    private Run? _run;

    public VirtualThread(int index)
    {
        Index = index;
        // Small: it is a few frames deep.
        new Thread(Main, 256 * 1024) { IsBackground = true, Name = $"virtual-{index}" }.UnsafeStart();
    }

    /// <summary>The one that calls; null in a setup, in a Finally, and elsewhere outside of a run.</summary>
    public static VirtualThread? Current => t_current;

    public int Index { get; }

    public string Name { get; private set; } = "";

    public Run Run => _run!;

    /// <summary>Whether it has come to its first point.</summary>
    public bool HasBegun { get; set; }

    public bool HasEnded { get; private set; }

    public StoreBuffer Stores { get; } = new();

    /// <summary>What must become true before it goes on; null when nothing.</summary>
    public Func<bool>? WaitsFor { get; set; }

    /// <summary>The number of stores that others had made when it began to spin; -1 when it does not spin.</summary>
    public long SpinsSince { get; set; } = -1;

    public void Assign(Run run, string name, Action body)
    {
        _run = run;
        _body = body;
        Name = name;
        HasBegun = false;
        HasEnded = false;
        WaitsFor = null;
        SpinsSince = -1;
        Stores.Clear();
    }

    public void GiveTurn() => _turn.Release();

    public void WaitForTurn() => _turn.Wait();

    /// <summary>Ends the real thread. It must not be part of a run.</summary>
    public void Stop()
    {
        _body = null;
        GiveTurn();
    }

    private void Main()
    {
        t_current = this;
        while (true)
        {
            WaitForTurn();
            if (_body is not { } body)
                return;
            Run run = Run;
            try
            {
                if (!run.IsUnwinding)
                    body();
            }
            catch (UnwindException)
            {
            }
            catch (Exception e)
            {
                run.Fail(e);
            }
            HasEnded = true;
            run.Ended(this);
        }
    }
}

/// <summary>Thrown at a point of every other thread once a run has failed.</summary>
internal sealed class UnwindException : Exception;

/// <summary>The real threads of an exploration, used for one run after the other.</summary>
internal sealed class ThreadSet : IDisposable
{
    private readonly List<VirtualThread> _threads = [];

    public VirtualThread Get(int index)
    {
        while (_threads.Count <= index)
            _threads.Add(new VirtualThread(_threads.Count));
        return _threads[index];
    }

    public void Dispose()
    {
        foreach (VirtualThread thread in _threads)
            thread.Stop();
    }
}
