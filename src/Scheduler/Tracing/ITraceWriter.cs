using System.Buffers;

namespace NetGo;

/// <summary>Writes a trace in some format.</summary>
internal interface ITraceWriter
{
    /// <summary>What has been written; whoever sends it clears it.</summary>
    ArrayBufferWriter<byte> Output { get; }

    /// <summary>Before the first event.</summary>
    /// <param name="time">When the trace begins.</param>
    /// <param name="processors">How many processors there are.</param>
    void Begin(long time, int processors);

    void Write(in TraceStep e);

    /// <summary>A row has a name: before its first event.</summary>
    void NameRow(int row, string name);

    /// <summary>Puts all that has come so far into <see cref="Output"/>.</summary>
    void Flush();

    /// <summary>After the last event.</summary>
    void End();
}
