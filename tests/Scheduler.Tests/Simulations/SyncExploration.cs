namespace NetGo.Scheduler.Tests.Simulations;

public sealed class SyncExploration
{
    /// <summary>Lockers of every kind, some of which give up. Nobody is in with another, and at rest nobody waits for a mutex that
    /// is free.</summary>
    [Exploration]
    public void A_mutex_lets_in_one_at_a_time_and_everyone() => Exploration.Run(async choices =>
    {
        var mutex = new GoMutex();
        int inside = 0;
        int waiting = 0;
        int actors = choices.Between(2, 7);
        int living = actors;
        for (int i = 0; i < actors; i++)
        {
            var own = new Choices((uint)choices.Below(int.MaxValue));
            Go.Spawn(async () =>
            {
                for (int k = own.Between(1, 6); k > 0; k--)
                {
                    await EnterAsync(own);
                    await own.PauseAsync();
                }
                living--;
            });
        }
        while (living > 0)
        {
            await Simulation.WaitAsync();
            Assert.True(inside > 0 || waiting == 0, "Somebody waits for a mutex that nobody has.");
            Assert.Equal(inside > 0, mutex.IsLocked);
            await Go.SleepAsync(TimeSpan.FromMilliseconds(1));
        }
        Assert.True(mutex.TryLock());
        mutex.Unlock();
        Assert.Throws<SynchronizationLockException>(mutex.Unlock);

        async Task EnterAsync(Choices own)
        {
            switch (own.Below(5))
            {
                case 0:
                    if (mutex.TryLock())
                        await InsideAsync(own);
                    break;
                case 3:
                    waiting++;
                    bool left = false;
                    await own.GivesUpAsync(async token =>
                    {
                        using (await mutex.LockScopeAsync(token))
                        {
                            waiting--;
                            left = true;
                            await StayAsync(own);
                        }
                    });
                    waiting -= left ? 0 : 1;
                    break;
                case 1:
                    waiting++;
                    using (await mutex.LockScopeAsync())
                    {
                        waiting--;
                        await StayAsync(own);
                    }
                    break;
                case 2:
                    waiting++;
                    bool locked = await own.GivesUpAsync(mutex.LockAsync);
                    waiting--;
                    if (locked)
                        await InsideAsync(own);
                    break;
                default:
                    waiting++;
                    await mutex.LockAsync();
                    waiting--;
                    await InsideAsync(own);
                    break;
            }
        }

        async Task InsideAsync(Choices own)
        {
            await StayAsync(own);
            mutex.Unlock();
        }

        async Task StayAsync(Choices own)
        {
            Assert.Equal(1, ++inside);
            await own.PauseAsync();
            Assert.Equal(1, inside--);
        }
    });

    /// <summary>Against goroutines that lock again as soon as they have unlocked, a waiter has the mutex at the latest when it has
    /// waited a millisecond and then everyone has had his turn.</summary>
    [Exploration]
    public void Nobody_starves_for_a_mutex() => Exploration.Run(async choices =>
    {
        var mutex = new GoMutex();
        TimeSpan hold = TimeSpan.FromMicroseconds(choices.Between(100, 900));
        int actors = choices.Between(2, 6);
        TimeSpan limit = TimeSpan.FromMilliseconds(1) + (actors + 3) * hold;
        bool stop = false;
        await choices.TogetherAsync(actors, async (index, own) =>
        {
            bool greedy = index == 0 || own.OneIn(2);
            for (int i = greedy ? 60 : own.Between(1, 4); i > 0 && !stop; i--)
            {
                long start = GoScheduler.Current.Now();
                await mutex.LockAsync();
                Assert.InRange(GoScheduler.Current.Now() - start, 0, limit.Ticks * 100);
                await Go.SleepAsync(hold);
                mutex.Unlock();
                if (!greedy)
                    await Go.SleepAsync(own.Milliseconds(0, 3));
                else if (own.OneIn(10))
                    await Go.YieldAsync();
            }
            if (index == 0)
                stop = true;
        });
        Assert.False(mutex.IsLocked);
    });

    [Exploration]
    public void A_reader_writer_mutex_does_what_its_model_does() => Exploration.Run(async choices =>
    {
        var mutex = new RWMutex();
        var model = new RWMutexModel();
        var ledger = new Ledger();
        int readers = 0;
        int writers = 0;
        await ledger.RunAsync(choices, choices.Between(3, 8), async (_, own) =>
        {
            int writeOneIn = own.Between(1, 4);
            for (int i = own.Between(1, 6); i > 0; i--)
            {
                bool writes = own.OneIn(writeOneIn);
                if (await TakeAsync(own, writes))
                    await UseAsync(own, writes);
                if (own.OneIn(5))
                    ledger.CancelOne(own);
                await own.PauseAsync();
            }
        }, () => { }, () => Assert.Fail("All wait for it, and nobody has it."));
        Assert.True(model.IsFree);
        Assert.True(mutex.TryLock());
        mutex.Unlock();
        Assert.Throws<SynchronizationLockException>(mutex.Unlock);
        Assert.Throws<SynchronizationLockException>(mutex.RUnlock);

        async Task<bool> TakeAsync(Choices own, bool writes)
        {
            if (own.OneIn(4))
            {
                Expected tried = writes ? model.Lock(waits: false) : model.RLock(waits: false);
                bool taken = writes ? mutex.TryLock() : mutex.TryRLock();
                Assert.Equal(tried.Ending == Ending.Done, taken);
                return taken;
            }
            Expected expected = null!;
            CancellationToken token = ledger.TokenOrNone(own, () => model.Cancel(expected));
            expected = writes ? model.Lock() : model.RLock();
            ValueTask operation = writes ? mutex.LockAsync(token) : mutex.RLockAsync(token);
            return await ledger.FollowAsync(operation, expected, own) == Ending.Done;
        }

        async Task UseAsync(Choices own, bool writes)
        {
            _ = writes ? writers++ : readers++;
            Assert.True(writers == 0 || (writers == 1 && readers == 0), $"{writers} writers and {readers} readers");
            await own.PauseAsync();
            _ = writes ? writers-- : readers--;
            if (writes)
            {
                model.Unlock();
                mutex.Unlock();
            }
            else
            {
                model.RUnlock();
                mutex.RUnlock();
            }
        }
    });

    [Exploration]
    public void A_semaphore_does_what_its_model_does() => Exploration.Run(async choices =>
    {
        int size = choices.Between(1, 5);
        var semaphore = new GoSemaphore(size);
        var model = new SemaphoreModel(size);
        var ledger = new Ledger();
        int held = 0;
        await ledger.RunAsync(choices, choices.Between(2, 7), async (_, own) =>
        {
            for (int i = own.Between(1, 6); i > 0; i--)
            {
                int units = own.Between(0, size);
                if (await TakeAsync(own, units))
                    await UseAsync(own, units);
                if (own.OneIn(5))
                    ledger.CancelOne(own);
                await own.PauseAsync();
            }
        }, () => Assert.Equal(model.Available, semaphore.Available), () => Assert.Fail("All wait for it, and nobody has it."));
        Assert.Equal(size, semaphore.Available);
        Assert.Throws<SemaphoreFullException>(() => semaphore.Release());

        async Task<bool> TakeAsync(Choices own, int units)
        {
            if (own.OneIn(4))
            {
                bool expectedTaken = model.Acquire(units, waits: false).Ending == Ending.Done;
                Assert.Equal(expectedTaken, semaphore.TryAcquire(units));
                return expectedTaken;
            }
            Expected expected = null!;
            CancellationToken token = ledger.TokenOrNone(own, () => model.Cancel(expected));
            expected = model.Acquire(units);
            return await ledger.FollowAsync(semaphore.AcquireAsync(units, token), expected, own) == Ending.Done;
        }

        async Task UseAsync(Choices own, int units)
        {
            held += units;
            Assert.InRange(held, 0, size);
            await own.PauseAsync();
            held -= units;
            while (units > 0)
            {
                int part = own.Between(1, units);
                units -= part;
                model.Release(part);
                semaphore.Release(part);
            }
        }
    });

    /// <summary>A counter that goes up and down and up again while others wait for its zero.</summary>
    [Exploration]
    public void A_wait_group_that_is_used_again_does_what_its_model_does() => Exploration.Run(async choices =>
    {
        var group = new WaitGroup();
        var model = new SignalModel();
        var ledger = new Ledger();
        int count = 0;
        await ledger.RunAsync(choices, choices.Between(2, 7), async (_, own) =>
        {
            for (int i = own.Between(1, 6); i > 0; i--)
            {
                switch (own.Below(4))
                {
                    case 0:
                        Add(own.Between(0, 3));
                        break;
                    case 1 when count > 0:
                        Add(-own.Between(1, count));
                        break;
                    case 2 when own.OneIn(3):
                        ledger.CancelOne(own);
                        break;
                    default:
                        Expected expected = null!;
                        CancellationToken token = ledger.TokenOrNone(own, () => model.Cancel(expected));
                        expected = model.Wait(nothingToWaitFor: count == 0);
                        await ledger.FollowAsync(group.WaitAsync(token), expected, own);
                        break;
                }
                await own.PauseAsync();
            }
        }, () => Assert.True(count > 0 || model.Waiting == 0), () => Add(-1));
        Assert.Throws<InvalidOperationException>(() => group.Add(-count - 1));

        void Add(int delta)
        {
            count += delta;
            if (count == 0)
                model.SignalAll();
            group.Add(delta);
        }
    });

    /// <summary>Signals and broadcasts, with and without the mutex, wake who waits longest, and whoever wakes has the mutex.</summary>
    [Exploration]
    public void A_condition_variable_does_what_its_model_does() => Exploration.Run(async choices =>
    {
        var mutex = new GoMutex();
        var cond = new Cond(mutex);
        var model = new SignalModel();
        var ledger = new Ledger();
        int inside = 0;
        await ledger.RunAsync(choices, choices.Between(2, 7), async (_, own) =>
        {
            for (int i = own.Between(1, 6); i > 0; i--)
            {
                bool locks = own.OneIn(2);
                switch (own.Below(4))
                {
                    case 0 or 1:
                        await LockAsync();
                        await WaitAsync(own);
                        await UnlockAsync(own);
                        break;
                    case 2:
                        if (locks)
                            await LockAsync();
                        Signal(own.OneIn(4));
                        if (locks)
                            await UnlockAsync(own);
                        break;
                    default:
                        ledger.CancelOne(own);
                        break;
                }
                await own.PauseAsync();
            }
        }, () => Assert.Equal(inside > 0, mutex.IsLocked), () => Signal(all: true));
        Assert.True(mutex.TryLock());

        async Task LockAsync()
        {
            await mutex.LockAsync();
            Assert.Equal(1, ++inside);
        }

        async Task UnlockAsync(Choices own)
        {
            if (own.OneIn(2))
                await Go.YieldAsync(); // somebody may be signalled meanwhile, and must not come in; no sleep, so that at rest nobody has it
            Assert.Equal(1, inside--);
            mutex.Unlock();
        }

        async Task WaitAsync(Choices own)
        {
            Expected expected = null!;
            CancellationToken token = ledger.TokenOrNone(own, () => model.Cancel(expected));
            expected = model.Wait();
            inside--;
            await ledger.FollowAsync(cond.WaitAsync(token), expected, own);
            Assert.Equal(1, ++inside);
        }

        void Signal(bool all)
        {
            if (all)
            {
                model.SignalAll();
                cond.Broadcast();
            }
            else
            {
                model.SignalOne();
                cond.Signal();
            }
        }
    });

    /// <summary>The classic use: a bounded buffer. Nothing is lost, and nobody waits for what is there.</summary>
    [Exploration]
    public void A_buffer_with_two_conditions_loses_nothing() => Exploration.Run(static choices => BufferAsync(choices, looksAgain: true));

    private static async Task BufferAsync(Choices choices, bool looksAgain)
    {
        var mutex = new GoMutex();
        var notEmpty = new Cond(mutex);
        var notFull = new Cond(mutex);
        var buffer = new Queue<int>();
        int capacity = choices.Between(1, 2);
        int each = choices.Between(1, 5);
        int pairs = choices.Between(1, 3);
        List<int> taken = [];
        await choices.TogetherAsync(2 * pairs, (index, own) => index < pairs ? PutAsync(index, own) : TakeAsync(own));
        Assert.Equal(Enumerable.Range(0, pairs).SelectMany(who => Enumerable.Range(0, each).Select(n => 100 * who + n)), taken.Order());

        async Task PutAsync(int who, Choices own)
        {
            for (int i = 0; i < each; i++)
            {
                await mutex.LockAsync();
                await UntilAsync(notFull, () => buffer.Count < capacity);
                await own.PauseAsync();
                buffer.Enqueue(100 * who + i);
                Assert.InRange(buffer.Count, 1, capacity);
                notEmpty.Signal();
                mutex.Unlock();
                await own.PauseAsync();
            }
        }

        async Task TakeAsync(Choices own)
        {
            for (int i = 0; i < each; i++)
            {
                await mutex.LockAsync();
                await UntilAsync(notEmpty, () => buffer.Count > 0);
                Assert.NotEmpty(buffer);
                taken.Add(buffer.Dequeue());
                notFull.Signal();
                mutex.Unlock();
                await own.PauseAsync();
            }
        }

        async Task UntilAsync(Cond cond, Func<bool> holds)
        {
            if (looksAgain)
            {
                while (!holds())
                    await cond.WaitAsync();
            }
            else if (!holds())
            {
                await cond.WaitAsync(); // the mistake: another may have been quicker
            }
        }
    }

    [Exploration]
    public void Once_runs_one_function_and_the_others_wait_for_its_end() => Exploration.Run(async choices =>
    {
        var once = new Once();
        int begun = 0;
        bool ended = false;
        bool fails = choices.OneIn(3);
        int failures = 0;
        await choices.TogetherAsync(choices.Between(2, 7), async (_, own) =>
        {
            await own.PauseAsync();
            bool canceled = false;
            try
            {
                if (own.OneIn(4))
                    canceled = !await own.GivesUpAsync(token => once.DoAsync(() => MakeAsync(own), token));
                else if (own.OneIn(4))
                    await once.DoAsync(Make);
                else
                    await once.DoAsync(() => MakeAsync(own));
            }
            catch (TimeoutException)
            {
                failures++;
            }
            Assert.Equal(1, begun);
            if (!canceled)
                Assert.True(ended && once.IsDone);
        });
        Assert.Equal(1, begun);
        Assert.Equal(fails ? 1 : 0, failures);

        async Task MakeAsync(Choices own)
        {
            begun++;
            await own.PauseAsync();
            await own.PauseAsync();
            End();
        }

        void Make()
        {
            begun++;
            End();
        }

        void End()
        {
            ended = true;
            if (fails)
                throw new TimeoutException();
        }
    });

    [Exploration]
    public void A_value_is_made_once_and_all_get_it() => Exploration.Run(async choices =>
    {
        int made = 0;
        bool fails = choices.OneIn(3);
        var value = new OnceValue<int>(async () =>
        {
            made++;
            await choices.PauseAsync();
            await choices.PauseAsync();
            return fails ? throw new TimeoutException() : 42;
        });
        await choices.TogetherAsync(choices.Between(2, 7), async (_, own) =>
        {
            for (int i = own.Between(1, 3); i > 0; i--)
            {
                await own.PauseAsync();
                try
                {
                    await own.GivesUpAsync(async token => Assert.Equal(42, await value.GetAsync(token)));
                }
                catch (TimeoutException)
                {
                    Assert.True(fails);
                }
            }
        });
        Assert.Equal(1, made);
    });

    // ---- Mistakes that must be found ----

    [Fact]
    public void A_condition_that_is_not_looked_at_again_is_found() => Exploration.Finds(static choices => BufferAsync(choices, looksAgain: false));

    [Fact]
    public void Double_checked_locking_without_the_lock_is_found() => Exploration.Finds(async choices =>
    {
        object? made = null;
        int times = 0;
        await choices.TogetherAsync(3, async (_, own) =>
        {
            if (made is null)
            {
                await own.PauseAsync(); // the mistake: no mutex around the second look
                if (made is null)
                {
                    await own.PauseAsync();
                    times++;
                    made = new object();
                }
            }
        });
        Assert.Equal(1, times);
    });

    [Fact]
    public void A_lock_that_is_left_between_the_read_and_the_write_is_found() => Exploration.Finds(async choices =>
    {
        var mutex = new RWMutex();
        int balance = 0;
        await choices.TogetherAsync(3, async (_, own) =>
        {
            await mutex.RLockAsync();
            int read = balance;
            mutex.RUnlock(); // the mistake: a writer may come between
            await mutex.LockAsync();
            balance = read + 1;
            mutex.Unlock();
        });
        Assert.Equal(3, balance);
    });

    [Fact]
    public void A_count_added_inside_of_the_goroutine_is_found() => Exploration.Finds(async choices =>
    {
        var group = new WaitGroup();
        int ended = 0;
        for (int i = 0; i < 3; i++)
        {
            Go.Spawn(async () =>
            {
                group.Add(1); // the mistake: the wait may have come first
                await choices.PauseAsync();
                ended++;
                group.Done();
            });
        }
        await group.WaitAsync();
        Assert.Equal(3, ended);
    });
}
