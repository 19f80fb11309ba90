using System.Diagnostics.Tracing;
using Microsoft.Diagnostics.NETCore.Client;
using Microsoft.Diagnostics.Tracing.Etlx;

namespace NetGo.Diagnostics;

/// <summary>Records events of this process by EventPipe, with their stacks.</summary>
internal static class RuntimeRecording
{
    public const string SampleProfiler = "Microsoft-DotNETCore-SampleProfiler";
    public const string Runtime = "Microsoft-Windows-DotNETRuntime";

    private const int BufferMegabytes = 64;

    /// <summary>What a profile of events throws with Native AOT. Whoever makes one asks for himself, in a method that is not async, whether there is
    /// dynamic code: so the compiler can leave the reader of events out, which Native AOT warns of.</summary>
    public static ProfileUnavailableException NoneWithNativeAot() =>
        new("With Native AOT there are no such profiles: the methods of an event cannot be named.");

    /// <summary>Records for a time, and gives the records to <paramref name="read"/>.</summary>
    /// <param name="providers">Of the events.</param>
    /// <param name="duration">How long.</param>
    /// <param name="read">On a thread of the pool; the log is there during the call only.</param>
    /// <param name="cancellationToken">Ends it early, and nothing is read.</param>
    /// <exception cref="ProfileUnavailableException">The runtime does not let it.</exception>
    public static async Task<T> RecordAsync<T>(
        IReadOnlyCollection<EventPipeProvider> providers, TimeSpan duration, Func<TraceLog, T> read, CancellationToken cancellationToken)
    {
        // To resolve stacks the reader wants files. They tell secrets, so nobody else may read them.
        string directory = Directory.CreateTempSubdirectory("netgo-profile-").FullName;
        string file = Path.Combine(directory, "events.nettrace");
        try
        {
            EventPipeSession session = await StartAsync(providers, requestRundown: true, cancellationToken).ConfigureAwait(false);
            using (session)
            {
                Task copying = CopyAsync(session, file);
                try
                {
                    await Task.Delay(duration, cancellationToken).ConfigureAwait(false);
                }
                finally
                {
                    // Sends what the methods are called, so it takes a moment, and somebody must read meanwhile.
                    await session.StopAsync(CancellationToken.None).ConfigureAwait(false);
                    await copying.ConfigureAwait(false);
                }
            }
            return await Task.Run(() => Read(file, read), cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    /// <summary>Starts a session of this process with itself.</summary>
    /// <exception cref="ProfileUnavailableException">The runtime does not let it.</exception>
    public static async Task<EventPipeSession> StartAsync(
        IReadOnlyCollection<EventPipeProvider> providers, bool requestRundown, CancellationToken cancellationToken)
    {
        try
        {
            return await new DiagnosticsClient(Environment.ProcessId)
                .StartEventPipeSessionAsync(providers, requestRundown, BufferMegabytes, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is DiagnosticsClientException or IOException or TimeoutException or UnauthorizedAccessException)
        {
            throw new ProfileUnavailableException(
                $"The runtime's diagnostic port does not answer (is DOTNET_EnableDiagnostics 0, or the directory for temporary files read-only?): {e.Message}", e);
        }
    }

    public static EventPipeProvider RuntimeProvider(EventLevel level, long keywords) => new(Runtime, level, keywords);

    private static async Task CopyAsync(EventPipeSession session, string file)
    {
        try
        {
            await CopyToFileAsync(session, file).ConfigureAwait(false);
        }
        catch (IOException)
        {
            await session.EventStream.CopyToAsync(Stream.Null).ConfigureAwait(false); // or it never ends
            throw;
        }
    }

    private static async Task CopyToFileAsync(EventPipeSession session, string file)
    {
        var output = new FileStream(file, FileMode.CreateNew, FileAccess.Write, FileShare.None, 64 * 1024, useAsync: true);
        await using (output.ConfigureAwait(false))
            await session.EventStream.CopyToAsync(output).ConfigureAwait(false);
    }

    private static T Read<T>(string file, Func<TraceLog, T> read)
    {
        string converted = TraceLog.CreateFromEventPipeDataFile(file, null, new TraceLogOptions { ContinueOnError = true });
        using var log = new TraceLog(converted);
        return read(log);
    }
}
