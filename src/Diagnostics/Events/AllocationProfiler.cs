using System.Diagnostics.Tracing;
using System.Runtime.CompilerServices;
using Microsoft.Diagnostics.Tracing;
using Microsoft.Diagnostics.Tracing.Etlx;
using Microsoft.Diagnostics.Tracing.Parsers;
using Microsoft.Diagnostics.Tracing.Parsers.Clr;

namespace NetGo.Diagnostics;

/// <summary>What is allocated, and where: the runtime tells of an allocation after each 100 KB or so.</summary>
internal static class AllocationProfiler
{
    public static Task<Profile> ProfileAsync(TimeSpan duration, CancellationToken cancellationToken)
    {
        if (!RuntimeFeature.IsDynamicCodeSupported)
            return Task.FromException<Profile>(RuntimeRecording.NoneWithNativeAot());
        DateTimeOffset start = DateTimeOffset.UtcNow;
        return RuntimeRecording.RecordAsync(
            [RuntimeRecording.RuntimeProvider(EventLevel.Verbose, (long)ClrTraceEventParser.Keywords.GC)], duration, log =>
        {
            var profile = new Profile(new ProfileUnit("alloc_objects", "count"), new ProfileUnit("alloc_space", "bytes"))
            {
                Start = start,
                Duration = duration,
                Period = 100 * 1024,
                PeriodUnit = new ProfileUnit("space", "bytes"),
                Comment = "Each 100 KB or so that are allocated count for the type and the place at which that amount was reached.",
            };
            var stacks = new EventStacks();
            foreach (Microsoft.Diagnostics.Tracing.TraceEvent e in log.Events)
            {
                if (e is not GCAllocationTickTraceData tick)
                    continue;
                string type = string.IsNullOrEmpty(tick.TypeName) ? "?" : tick.TypeName;
                long bytes = tick.AllocationAmount64;
                long objects = tick.ObjectSize > 0 ? Math.Max(1, bytes / tick.ObjectSize) : 1;
                profile.Add(new ProfileStack([new GoroutineFrame($"new {type}", null, 0), .. stacks.Of(e.CallStack())], "type", type), objects, bytes);
            }
            return profile;
        }, cancellationToken);
    }
}
