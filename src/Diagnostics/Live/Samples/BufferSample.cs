namespace NetGo.Diagnostics;

/// <summary>The buffer pool.</summary>
/// <param name="Committed">Bytes that it has from the system.</param>
/// <param name="Limit">Bytes that it may have.</param>
/// <param name="Large">Bytes of those in buffers larger than the largest class.</param>
/// <param name="Released">Bytes given back to the system.</param>
/// <param name="Waiting">How many wait for memory.</param>
/// <param name="Classes">By node and size.</param>
internal sealed record BufferSample(long Committed, long Limit, long Large, long Released, int Waiting, IReadOnlyList<BufferClassSample> Classes);
