using System.Diagnostics.Tracing;
using System.Runtime.CompilerServices;
using Microsoft.Diagnostics.NETCore.Client;
using Microsoft.Diagnostics.Tracing;
using Microsoft.Diagnostics.Tracing.Etlx;
using Microsoft.Diagnostics.Tracing.EventPipe;

namespace NetGo.Diagnostics;

/// <summary>What threads do, by the runtime's sample profiler, which looks at all of them about once in a millisecond.</summary>
internal static class CpuProfiler
{
    private const long PeriodNanoseconds = 1_000_000;
    private const string Note =
        "The runtime samples managed code: what the system's calls take is not in it, nor is native code.";

    /// <summary>Where the time goes of threads that run managed code.</summary>
    public static Task<Profile> ProfileAsync(TimeSpan duration, CancellationToken cancellationToken)
    {
        if (!RuntimeFeature.IsDynamicCodeSupported)
            return Task.FromException<Profile>(RuntimeRecording.NoneWithNativeAot());
        DateTimeOffset start = DateTimeOffset.UtcNow;
        return RuntimeRecording.RecordAsync(Providers(), duration, log =>
        {
            var profile = new Profile(new ProfileUnit("samples", "count"), new ProfileUnit("cpu", "nanoseconds"))
            {
                Start = start,
                Duration = duration,
                Period = PeriodNanoseconds,
                PeriodUnit = new ProfileUnit("cpu", "nanoseconds"),
                Comment = Note,
            };
            var stacks = new EventStacks();
            foreach (Microsoft.Diagnostics.Tracing.TraceEvent e in log.Events)
            {
                if (e is not ClrThreadSampleTraceData { Type: ClrThreadSampleType.Managed } || e.CallStack() is not { } stack || EventStacks.ComesBack(stack))
                    continue;
                if (stacks.Of(stack) is { Count: > 0 } frames)
                    profile.Add(new ProfileStack(frames), 1, PeriodNanoseconds);
            }
            return profile;
        }, cancellationToken);
    }

    /// <summary>The stacks of all threads that have one, by the system's number of the thread.</summary>
    public static Task<Dictionary<int, IReadOnlyList<GoroutineFrame>>> StacksOfThreadsAsync(CancellationToken cancellationToken)
    {
        if (!RuntimeFeature.IsDynamicCodeSupported)
            return Task.FromException<Dictionary<int, IReadOnlyList<GoroutineFrame>>>(RuntimeRecording.NoneWithNativeAot());
        return RuntimeRecording.RecordAsync(Providers(), TimeSpan.FromMilliseconds(50), static log =>
        {
            var last = new Dictionary<int, TraceCallStack>();
            foreach (Microsoft.Diagnostics.Tracing.TraceEvent e in log.Events)
            {
                if (e is ClrThreadSampleTraceData && e.CallStack() is { } stack)
                    last[e.ThreadID] = stack;
            }
            var stacks = new EventStacks();
            return last.ToDictionary(static s => s.Key, s => stacks.Of(s.Value));
        }, cancellationToken);
    }

    private static EventPipeProvider[] Providers() =>
    [
        new(RuntimeRecording.SampleProfiler, EventLevel.Informational),
        RuntimeRecording.RuntimeProvider(EventLevel.Informational, 0), // the reader resolves no stacks without it
    ];
}
