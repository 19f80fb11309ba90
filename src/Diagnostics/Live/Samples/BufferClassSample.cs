namespace NetGo.Diagnostics;

/// <summary>The buffers of a size on a node; counts.</summary>
internal sealed record BufferClassSample(int Node, int Size, long InUse, long Cached, long Free, long Idle);
