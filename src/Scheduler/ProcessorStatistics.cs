namespace NetGo;

/// <summary>What a processor does, and has done since it was made.</summary>
/// <param name="Index">Its number.</param>
/// <param name="IsIdle">Its machine sleeps in the poller.</param>
/// <param name="Machine">The number of the machine that holds it; 0 when none does.</param>
/// <param name="Goroutine">The number of the goroutine that runs on it; 0 when none does.</param>
/// <param name="QueueLength">Runnable goroutines on its queue.</param>
/// <param name="Timers">Timers that are pending.</param>
/// <param name="TimersFired">How many have fired.</param>
/// <param name="Runs">How often it has run a goroutine.</param>
/// <param name="Steals">How often it has taken work from another's queue.</param>
/// <param name="Sleeps">How often it has gone to sleep.</param>
/// <param name="IdleTime">How long it has slept.</param>
/// <param name="Polls">How often its poller has been asked, sleeping or not.</param>
/// <param name="PollBatches">How many of these have made none, 1, 2 to 3, 4 to 7, ... goroutines ready; the last place counts all larger
/// ones.</param>
/// <param name="PolledReady">How many goroutines they have made ready together.</param>
public sealed record ProcessorStatistics(
    int Index,
    bool IsIdle,
    int Machine,
    long Goroutine,
    int QueueLength,
    int Timers,
    long TimersFired,
    long Runs,
    long Steals,
    long Sleeps,
    TimeSpan IdleTime,
    long Polls,
    IReadOnlyList<long> PollBatches,
    long PolledReady);
