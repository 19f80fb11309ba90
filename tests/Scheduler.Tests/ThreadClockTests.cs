#pragma warning disable xUnit1031 // blocking is what is tested

using System.Diagnostics;

namespace NetGo.Scheduler.Tests;

/// <summary>What sysmon is told of a thread, by the system or, where that tells nothing, by .NET.</summary>
public sealed class ThreadClockTests
{
    private sealed class OfRuntimeAlone : ThreadClock;

    private static ThreadClock Clock(bool ofRuntimeAlone) => ofRuntimeAlone ? new OfRuntimeAlone() : ThreadClock.OfCallingThread();

    public static TheoryData<string, bool> Waits
    {
        get
        {
            var waits = new TheoryData<string, bool>();
            foreach (string how in (string[])["sleep", "event", "lock", "result", "join"])
            {
                waits.Add(how, false);
                waits.Add(how, true);
            }
            return waits;
        }
    }

    [Theory]
    [MemberData(nameof(Waits))]
    public void A_thread_that_waits_is_asleep_and_its_clock_stands_still(string how, bool ofRuntimeAlone)
    {
        using var release = new ManualResetEventSlim(false, spinCount: 0);
        var released = new TaskCompletionSource();
        object monitor = new();
        ThreadClock? clock = null;
        bool stop = false;
        var other = new Thread(() => release.Wait()) { IsBackground = true };
        other.Start();
        var thread = new Thread(() =>
        {
            Volatile.Write(ref clock, Clock(ofRuntimeAlone));
            switch (how)
            {
                case "sleep":
                    while (!Volatile.Read(ref stop))
                        Thread.Sleep(200);
                    break;
                case "event":
                    release.Wait();
                    break;
                case "lock":
                    lock (monitor)
                        break;
                case "result":
                    released.Task.Wait();
                    break;
                case "join":
                    other.Join();
                    break;
            }
        })
        { IsBackground = true };
        lock (monitor)
        {
            thread.Start();
            Bounded.Until(() => Volatile.Read(ref clock)?.IsAsleep() == true, "asleep");
            Bounded.Until(() => StoodStill(clock!), "a clock that stands still");
            Volatile.Write(ref stop, true);
            release.Set();
            released.SetResult();
        }
        Assert.True(thread.Join(Bounded.Limit));
        Assert.True(other.Join(Bounded.Limit));
    }

    // Between two looks at one sleep: it may have woken in between, to see that it shall sleep on.
    private static bool StoodStill(ThreadClock clock)
    {
        long before = clock.CpuTime();
        return clock.IsAsleep() && clock.CpuTime() == before && clock.IsAsleep();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_thread_that_computes_is_awake(bool ofRuntimeAlone)
    {
        using var spinner = new Spinner(ofRuntimeAlone);
        int awake = 0;
        Bounded.Until(() => !spinner.Clock.IsAsleep() && ++awake == 1000, "awake, nearly always");
    }

    [Fact]
    public void The_clock_of_a_thread_that_computes_goes_on()
    {
        using var spinner = new Spinner(ofRuntimeAlone: false);
        Assert.SkipWhen(spinner.Clock.GetType() == typeof(ThreadClock), "This system does not tell how long a thread has run.");
        Assert.SkipWhen(OperatingSystem.IsWindows() && spinner.Clock.CpuTime() == 0, "Wine counts no cycles.");
        for (int i = 0; i < 10; i++)
        {
            long before = spinner.Clock.CpuTime();
            Bounded.Until(() => spinner.Clock.CpuTime() > before, "a clock that goes on");
        }
    }

    [Fact]
    public void A_short_sleep_is_as_long_as_it_shall_be()
    {
        using var sleep = new PreciseSleep();
        foreach (long microseconds in (long[])[1, 20, 500, 2_000])
        {
            long started = Stopwatch.GetTimestamp();
            sleep.For(microseconds * 1_000);
            // Windows keeps its timers by another clock than that of Stopwatch: they differ by less than half a millisecond.
            Assert.True(Stopwatch.GetElapsedTime(started).TotalMicroseconds >= microseconds - 500);
        }
    }

    [Fact]
    public void A_timer_that_is_set_again_ends_when_it_was_set_to_last()
    {
        using HighResolutionTimer? timer = HighResolutionTimer.TryCreate();
        Assert.SkipWhen(timer is null, "This system has no such timer.");
        timer.Set(long.MaxValue / 2);
        Assert.False(timer.WaitOne(0));
        timer.Set(1_000);
        Assert.True(timer.WaitOne(Bounded.Limit));
        Assert.False(timer.WaitOne(0)); // one wait
        timer.Set(1_000);
        timer.Set(long.MaxValue / 2);
        Assert.False(timer.WaitOne(20));
    }

    private sealed class Spinner : IDisposable
    {
        private readonly Thread _thread;
        private ThreadClock? _clock;
        private volatile bool _stop;

        public Spinner(bool ofRuntimeAlone)
        {
            _thread = new Thread(() =>
            {
                Volatile.Write(ref _clock, ThreadClockTests.Clock(ofRuntimeAlone));
                while (!_stop)
                    Thread.SpinWait(20);
            })
            { IsBackground = true };
            _thread.Start();
            Bounded.Until(() => Volatile.Read(ref _clock) is not null, "started");
        }

        public ThreadClock Clock => _clock!;

        public void Dispose()
        {
            _stop = true;
            Assert.True(_thread.Join(Bounded.Limit));
        }
    }
}
