namespace Placement;

/// <summary>A scheduler with a processor for each core, whose goroutines rent buffers on all of them, return some on processors of other
/// nodes, and rent again; and after each of that, where the kernel says that the buffers are.</summary>
internal sealed class PlacementRun : IDisposable
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    // More than a slab of each size, and than a processor's cache.
    private static readonly (int Size, int Count)[] s_perProcessor = [(4 * 1024, 600), (16 * 1024, 200), (64 * 1024, 48)];

    private readonly NumaTopology _topology = NumaTopology.Current;
    private readonly MachineBinding _binding;
    private readonly BufferPool _pool;
    private readonly GoScheduler _scheduler;
    private readonly int _systemNodes;
    private readonly List<Rental>[] _rentals;

    public PlacementRun(MachineBinding binding)
    {
        _binding = binding;
        _pool = new BufferPool(new BufferPoolOptions { ReleaseAfter = Timeout.InfiniteTimeSpan });
        _scheduler = new GoScheduler(new SchedulerOptions { MaxProcs = _topology.Cpus.Length, MachineBinding = binding, Buffers = _pool });
        _rentals = [.. Enumerable.Range(0, _scheduler.MaxProcs).Select(static _ => new List<Rental>())];
        _systemNodes = 1 + Enumerable.Range(0, _topology.NodeCount).Max(_topology.SystemNode);
    }

    /// <summary>Nothing was found to be elsewhere than it should be.</summary>
    public bool Passed { get; private set; } = true;

    public async Task RunAsync()
    {
        Console.WriteLine();
        Console.WriteLine($"MachineBinding.{_binding}");
        await RentAsync(part: 1);
        PrintSlabs();
        Rental[] first = [.. _rentals.SelectMany(static rentals => rentals)];
        Check("ran where they are bound to", first.Count(RanWhereBound), first.Length);
        Check("are local", first.Count(rental => rental.IsLocal(_systemNodes)), first.Length);

        HashSet<NetBuffer> returned = await ReturnHalfElsewhereAsync();
        HashSet<NetBuffer> kept = [.. _rentals.SelectMany(static rentals => rentals).Select(static rental => rental.Buffer)];
        Console.WriteLine($"  {returned.Count} buffers are returned on processors of other nodes ({_pool.GetStatistics().RemoteReturns} remote returns)");
        await RentAsync(part: 2);
        Rental[] all = [.. _rentals.SelectMany(static rentals => rentals)];
        Rental[] second = [.. all.Where(rental => !kept.Contains(rental.Buffer))];
        Check("after that are local", second.Count(rental => rental.IsLocal(_systemNodes)), second.Length);
        Rental[] again = [.. second.Where(rental => returned.Contains(rental.Buffer))];
        Check("of these got one of the returned, at home", again.Count(rental => rental.IsLocal(_systemNodes)), again.Length);
        foreach (Rental rental in all)
            rental.Buffer.Return();
    }

    // Without binding it is as it happens to be.
    private void Check(string what, int count, int total)
    {
        bool all = count == total && total > 0;
        string verdict = _binding == MachineBinding.None ? "    " : all ? "PASS" : "FAIL";
        Console.WriteLine($"{verdict} {_binding}: {count} of {total} rents ({100.0 * count / total:0.0} %) {what}");
        if (_binding != MachineBinding.None)
            Passed &= all;
    }

    private bool RanWhereBound(Rental rental)
    {
        int cpu = _topology.CpuOfProcessor(rental.Processor);
        return _binding == MachineBinding.Core ? rental.Cpu == cpu : rental.Node == _topology.SystemNode(_topology.NodeOfCpu(cpu));
    }

    /// <summary>Adds to <see cref="_rentals"/>: on each processor so many of each size.</summary>
    /// <param name="part">All of them for 1, half for 2.</param>
    private async Task RentAsync(int part)
    {
        int[] wanted = [.. s_perProcessor.SelectMany(s => Enumerable.Repeat(s.Size, s.Count / part))];
        var done = new int[_rentals.Length];
        await OnEachProcessorAsync(processor =>
        {
            for (int i = 0; i < 8 && done[processor] < wanted.Length; i++)
                _rentals[processor].Add(Rent(processor, wanted[done[processor]++]));
            return done[processor] < wanted.Length;
        });
    }

    private Rental Rent(int processor, int size)
    {
        (int cpu, int node) = LinuxPlacement.Here();
        NetBuffer buffer = _pool.Rent(size);
        buffer.Span.Fill((byte)processor);
        return new Rental(buffer, processor, cpu, node);
    }

    /// <summary>Every other buffer of each processor is returned on another, half way round: on another node, where there are two.</summary>
    private async Task<HashSet<NetBuffer>> ReturnHalfElsewhereAsync()
    {
        Stack<NetBuffer>[] leaving = [.. _rentals.Select(static _ => new Stack<NetBuffer>())];
        for (int p = 0; p < _rentals.Length; p++)
        {
            Rental[] all = [.. _rentals[p]];
            _rentals[p].Clear();
            for (int i = 0; i < all.Length; i++)
            {
                if (i % 2 == 0)
                    _rentals[p].Add(all[i]);
                else
                    leaving[(p + leaving.Length / 2) % leaving.Length].Push(all[i].Buffer);
            }
        }
        HashSet<NetBuffer> returned = [.. leaving.SelectMany(static buffers => buffers)];
        await OnEachProcessorAsync(processor =>
        {
            for (int i = 0; i < 8 && leaving[processor].TryPop(out NetBuffer? buffer); i++)
                buffer.Return();
            return leaving[processor].Count > 0;
        });
        return returned;
    }

    /// <summary>Has goroutines do something on each processor, again and again, as long as it says that there is more to do there.
    /// The processor is theirs throughout: it cannot be handed off in between.</summary>
    private async Task OnEachProcessorAsync(Func<int, bool> step)
    {
        var done = new bool[_rentals.Length];
        await Task.WhenAll(Enumerable.Range(0, 4 * done.Length).Select(_ => _scheduler.RunAsync(async () =>
        {
            while (!Array.TrueForAll(done, static one => Volatile.Read(ref one)))
            {
                Machine machine = Machine.OfThisThread!;
                int? processor = machine.Pin(out int previous)?.Index;
                if (processor is { } p && !done[p])
                    Volatile.Write(ref done[p], !step(p));
                machine.Unpin(previous);
                await Go.YieldAsync();
            }
        }))).WaitAsync(s_limit);
    }

    private unsafe void PrintSlabs()
    {
        Console.WriteLine("  slab  buffers of  rented  on node  by cpus  pages on node " + string.Join(' ', Enumerable.Range(0, _systemNodes).Select(static n => $"{n,5}")));
        int number = 0;
        foreach (IGrouping<Slab, Rental> slab in _rentals.SelectMany(static rentals => rentals).GroupBy(static rental => rental.Buffer.Slab)
            .OrderBy(static slab => slab.Key.Node).ThenBy(static slab => slab.Key.SizeClass).ThenBy(static slab => slab.Min(static r => r.Processor)))
        {
            var pages = new int[_systemNodes];
            LinuxPlacement.CountPages(slab.Key.Start, slab.Key.ByteCount, pages);
            string nodes = string.Join(',', slab.Select(static rental => rental.Node).Distinct().Order());
            string cpus = string.Join(',', slab.Select(static rental => rental.Cpu).Distinct().Order());
            Console.WriteLine(
                $"  {number++,4}  {slab.First().Buffer.Length / 1024,6} KiB  {slab.Count(),6}  {nodes,7}  {cpus,7}                " +
                string.Join(' ', pages.Select(static count => $"{count,5}")));
        }
    }

    public void Dispose()
    {
        _scheduler.Dispose();
        _pool.Dispose();
    }
}
