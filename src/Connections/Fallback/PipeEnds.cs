using System.IO.Pipelines;

namespace NetGo.Connections;

/// <summary>How the loops of a SocketConnection tell that they have ended: each completes its end of a pipe.</summary>
internal static class PipeEnds
{
    // These are obsolete because not every reader and writer calls back. Those of a Pipe do, and these are one's.
#pragma warning disable CS0618

    /// <summary>Calls back when the other end of the pipe is completed, with its error, or has been.</summary>
    public static void WhenWriterCompletes(this PipeReader reader, Action<Exception?> callback) =>
        reader.OnWriterCompleted(static (error, state) => ((Action<Exception?>)state!)(error), callback);

    /// <inheritdoc cref="WhenWriterCompletes"/>
    public static void WhenReaderCompletes(this PipeWriter writer, Action<Exception?> callback) =>
        writer.OnReaderCompleted(static (error, state) => ((Action<Exception?>)state!)(error), callback);

#pragma warning restore CS0618
}
