using System.Diagnostics.Tracing;
using System.Runtime.CompilerServices;
using Microsoft.Diagnostics.NETCore.Client;
using Microsoft.Diagnostics.Tracing;
using Microsoft.Diagnostics.Tracing.Parsers;
using Microsoft.Diagnostics.Tracing.Parsers.Clr;

namespace NetGo.Diagnostics;

/// <summary>What is on the heap: a full collection that tells of each object that it leaves. All threads wait for it.</summary>
internal static class HeapProfiler
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(5);

    public static Task<Profile> ProfileAsync(CancellationToken cancellationToken)
    {
        if (!RuntimeFeature.IsDynamicCodeSupported)
            return Task.FromException<Profile>(RuntimeRecording.NoneWithNativeAot());
        return CollectAsync(cancellationToken);
    }

    private static async Task<Profile> CollectAsync(CancellationToken cancellationToken)
    {
        var profile = new Profile(new ProfileUnit("inuse_objects", "count"), new ProfileUnit("inuse_space", "bytes"))
        {
            Comment = "Objects by type, after a full collection. The runtime does not know where they were allocated.",
        };
        EventPipeSession session = await RuntimeRecording.StartAsync(
            [RuntimeRecording.RuntimeProvider(EventLevel.Informational, (long)ClrTraceEventParser.Keywords.GCHeapSnapshot)],
            requestRundown: false, cancellationToken).ConfigureAwait(false);
        using (session)
        {
            var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var types = new Dictionary<ulong, (long Objects, long Bytes)>();
            var names = new Dictionary<ulong, string>();
            Task reading = Task.Run(() => Read(session, types, names, done), CancellationToken.None);
            try
            {
                await Task.WhenAny(done.Task, reading).WaitAsync(s_limit, cancellationToken).ConfigureAwait(false);
            }
            catch (TimeoutException e)
            {
                throw new ProfileUnavailableException("The collection has not ended in five minutes.", e);
            }
            finally
            {
                await session.StopAsync(CancellationToken.None).ConfigureAwait(false);
                await reading.ConfigureAwait(false); // names may come after the objects
            }
            foreach ((ulong type, (long objects, long bytes)) in types)
            {
                string name = names.GetValueOrDefault(type, "?");
                profile.Add(new ProfileStack([new GoroutineFrame(name.Length == 0 ? "?" : name, null, 0)]), objects, bytes);
            }
            return profile;
        }
    }

    private static void Read(
        EventPipeSession session, Dictionary<ulong, (long Objects, long Bytes)> types, Dictionary<ulong, string> names, TaskCompletionSource done)
    {
        using var source = new EventPipeEventSource(session.EventStream);
        int collection = -1;
        source.Clr.GCStart += data =>
        {
            // The first full one that is neither in the background nor for want of memory is the one that was asked for.
            if (collection < 0 && data.Depth == 2 && data.Type != GCType.BackgroundGC && data.Reason == GCReason.Induced)
                collection = data.Count;
        };
        source.Clr.GCStop += data =>
        {
            if (data.Count == collection)
                done.TrySetResult();
        };
        source.Clr.GCBulkNode += data =>
        {
            for (int i = 0; i < data.Count; i++)
            {
                GCBulkNodeValues node = data.Values(i);
                (long objects, long bytes) = types.GetValueOrDefault(node.TypeID);
                types[node.TypeID] = (objects + 1, bytes + (long)node.Size);
            }
        };
        source.Clr.TypeBulkType += data =>
        {
            for (int i = 0; i < data.Count; i++)
            {
                GCBulkTypeValues type = data.Values(i);
                names[type.TypeID] = type.TypeName;
            }
        };
        source.Process();
    }
}
