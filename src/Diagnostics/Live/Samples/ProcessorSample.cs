namespace NetGo.Diagnostics;

/// <summary>What a processor has done in the time of a sample; rates are per second.</summary>
/// <param name="Index">Its number.</param>
/// <param name="Busy">The part of the time in which it did not sleep, 0 to 1.</param>
/// <param name="Idle">It sleeps at the moment.</param>
/// <param name="Queue">Runnable goroutines on its queue.</param>
/// <param name="Timers">Pending timers.</param>
/// <param name="Machine">Which thread has it; 0 for none.</param>
/// <param name="Goroutine">Which goroutine runs on it; 0 for none.</param>
/// <param name="Runs">How often it ran a goroutine.</param>
/// <param name="Steals">How often it took work from another.</param>
/// <param name="Sleeps">How often it went to sleep.</param>
/// <param name="Fired">How many timers fired.</param>
/// <param name="Polls">How often its poller was asked.</param>
/// <param name="Ready">How many goroutines that made ready.</param>
internal sealed record ProcessorSample(
    int Index,
    double Busy,
    bool Idle,
    int Queue,
    int Timers,
    int Machine,
    long Goroutine,
    double Runs,
    double Steals,
    double Sleeps,
    double Fired,
    double Polls,
    double Ready);
