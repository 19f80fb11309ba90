namespace NetGo;

internal sealed class BufferCache { }
