namespace NetGo;

// Where a machine looks for its next goroutine; Go's findRunnable. In this order:
//
//   0  a processor that is to go is taken apart
//   1  every 61st time: due timers, the global queue, and the poller, if it has not been asked for a while and the ring has room:
//      so that local work cannot starve them
//   2  run-next, then the local ring
//   3  a share of the global queue
//   4  due timers
//   5  when another processor has work: the own poller without waiting, then half of a random victim's ring
//   6  sleep in the own poller until an event, a wake-up or the first timer
//
// How sleeping machines and new work find each other is in IdleProcessors.cs. Work put on the local ring of a running machine
// needs no fence: that machine runs it itself, or, when it blocks, whoever gets its processor.
internal sealed partial class Machine
{
    private const uint FairnessInterval = 61;
    private const int StealRounds = 4;

    // How long after the last poll, in nanoseconds, the next is due while there is local work; counted from the first 61st time after it, so
    // that the clock is not asked more often.
    private const long PollInterval = 5_000_000;

    // How often in a row a ring without room for what a poll brings puts it off. What overflows goes to the global queue, the oldest first,
    // where those who have waited longest would wait longest again. A ring without room for so long is filled by those who run.
    private const int MaxPollsPutOff = 8;

    /// <summary>Null when the scheduler stops, and when the processor was taken away for good.</summary>
    private Goroutine? FindRunnable(Processor processor)
    {
        while (!Scheduler.IsStopping)
        {
            if (processor.Phase == ProcessorPhase.Retiring && TryDismantle(processor))
                return null;
            if (processor.Buffers.FlushWanted)
                processor.Buffers.Flush(); // which may make others ready
            if (++processor.SearchTick % FairnessInterval == 0 && LookEverywhere(processor) is { } fair)
            {
                processor.EndStreak();
                return StopSpinning(fair);
            }
            // A policy's queue is for choosing from: it gets the global ones first.
            if (processor.HasPolicy && Scheduler.HasGlobalWork)
                Scheduler.TakeShareOfGlobalIntoQueue(processor);
            if (processor.Get() is { } local)
                return StopSpinning(local);
            if (Scheduler.TakeShareOfGlobal(processor) is { } global)
                return StopSpinning(global);

            long now = Scheduler.Now();
            if (processor.Timers.NextWhen <= now)
            {
                RunTimers(processor, now);
                continue;
            }
            if (Scheduler.AnyOtherHasWork(processor))
            {
                if (processor.Poller.HasRegistrations && PollInto(processor, 0))
                    continue;
                if (Steal(processor) is { } stolen)
                    return StopSpinning(stolen);
            }
            SleepInPoller(processor, now);
        }
        return null;
    }

    private bool TryDismantle(Processor processor)
    {
        if (!Scheduler.TryDismantle(processor))
            return false;
        _slot.GiveUp();
        _ = EndSpinning();
        // Somebody may have left new work to this one, while it still spun: it may even have seen that work in SleepInPoller, and
        // not have gone to sleep on it.
        Scheduler.WakeOne();
        return true;
    }

    private Goroutine? LookEverywhere(Processor processor)
    {
        if (processor.Timers.Count > 0)
            RunTimers(processor, Scheduler.Now());
        processor.AdoptAttachedPoller();
        if (!processor.Poller.HasRegistrations || (processor.HasLocalWork && !PollIsDue(processor)))
            return Scheduler.TakeOneOfGlobal();
        if (!processor.HasRoomForPoll)
        {
            if (++processor.PollsPutOff > MaxPollsPutOff)
                PollInto(processor, 0);
            return Scheduler.TakeOneOfGlobal();
        }
        // A ring that polls keep from running empty would never get to its share of the global queue.
        Goroutine? global = processor.HasPolicy ? Scheduler.TakeOneOfGlobal() : Scheduler.TakeShareOfGlobal(processor);
        if (processor.HasRoomForPoll)
            PollInto(processor, 0);
        return global;
    }

    private void RunTimers(Processor processor, long now)
    {
        int fired = processor.Timers.RunDue(now);
        if (fired == 0)
            return;
        processor.Counts.TimersFired += fired;
        Scheduler.Observer?.TimersFired(processor, fired);
    }

    private bool PollIsDue(Processor processor)
    {
        long now = Scheduler.Now();
        if (processor.PolledBefore == 0)
            processor.PolledBefore = now;
        return now - processor.PolledBefore >= PollInterval;
    }

    private Goroutine? Steal(Processor processor)
    {
        if (!_spinning)
        {
            if (!Scheduler.TryBeginSpinning())
                return null;
            _spinning = true;
        }
        ReadOnlySpan<Processor> all = Scheduler.Processors;
        for (int round = 0; round < StealRounds; round++)
        {
            uint start = processor.NextRandom();
            for (int i = 0; i < all.Length; i++)
            {
                Processor victim = all[(int)((start + (uint)i) % (uint)all.Length)];
                if (victim == processor || processor.StealFrom(victim, runNextToo: round == StealRounds - 1) is not { } g)
                    continue;
                processor.Counts.Steals++;
                Scheduler.Observer?.Stolen(g, processor, victim);
                return g;
            }
        }
        return null;
    }

    // The last spinning machine that finds work passes the duty on: there may be more where that came from.
    private Goroutine StopSpinning(Goroutine g)
    {
        if (EndSpinning())
            Scheduler.WakeOne();
        return g;
    }

    private bool EndSpinning()
    {
        if (!_spinning)
            return false;
        _spinning = false;
        Scheduler.EndSpinning();
        return true;
    }

    private void SleepInPoller(Processor processor, long now)
    {
        bool wasSpinning = EndSpinning();
        processor.AdoptAttachedPoller();
        long until = processor.Timers.NextWhen;
        Volatile.Write(ref processor.SleepUntil, until);
        Scheduler.SetIdle(processor);
        // Who saw a spinning machine did not wake another, so the last one looks at the others' queues once more. (The others
        // may leave what they see to those that spin.)
        bool workCame = Scheduler.HasGlobalWork || Scheduler.IsStopping || processor.Timers.NextWhen < until ||
            processor.HasPollerToAdopt || processor.Buffers.FlushWanted || processor.Phase == ProcessorPhase.Retiring || (wasSpinning && Scheduler.AnyOtherHasWork(processor));
        GoroutineQueue ready = default;
        if (!workCame)
        {
            Scheduler.Observer?.ProcessorStops(processor);
            Volatile.Write(ref processor.IdleSince, now);
            processor.Poller.Poll(until == long.MaxValue ? -1 : Math.Max(0, until - now), ref ready);
            EndIdle(processor, ready.Count);
        }
        if (!Scheduler.ClearIdle(processor))
            _spinning = true; // woken: the waker counted us as spinning
        PutReady(processor, ref ready);
    }

    private void EndIdle(Processor processor, int ready)
    {
        processor.Counts.Sleeps++;
        long slept = Math.Max(0, Scheduler.Now() - processor.IdleSince);
        Volatile.Write(ref processor.IdleSince, 0);
        Volatile.Write(ref processor.Counts.IdleTime, processor.Counts.IdleTime + slept);
        Scheduler.Observer?.ProcessorStarts(processor, this);
        Polled(processor, ready);
    }

    private void Polled(Processor processor, int ready)
    {
        processor.PolledBefore = 0;
        processor.PollsPutOff = 0;
        processor.Counts.CountPoll(ready);
        Scheduler.Observer?.Polled(processor, ready);
    }

    private bool PollInto(Processor processor, long timeout)
    {
        GoroutineQueue ready = default;
        processor.Poller.Poll(timeout, ref ready);
        Polled(processor, ready.Count);
        return PutReady(processor, ref ready);
    }

    private bool PutReady(Processor processor, ref GoroutineQueue ready)
    {
        int count = ready.Count;
        bool busy = processor.HasLocalWork;
        while (ready.PopFront() is { } g)
        {
            if (g.Scheduler == Scheduler)
                processor.Put(g, next: false);
            else
                g.Scheduler.Enqueue(g, next: false); // somebody else's, who waits for a descriptor of ours
        }
        if (count > 1 || (count == 1 && busy))
            Scheduler.WakeOne();
        return count > 0;
    }
}
