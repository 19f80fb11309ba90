using System.Buffers;
using System.Runtime.InteropServices;

namespace BuffersBench;

internal readonly struct NetGoBuffers(BufferPool pool, int size) : ISubject<NetBuffer>
{
    public NetBuffer Rent() => pool.Rent(size);

    public void Return(NetBuffer buffer) => pool.Return(buffer);
}

internal readonly struct Memories(MemoryPool<byte> pool, int size) : ISubject<IMemoryOwner<byte>>
{
    public IMemoryOwner<byte> Rent() => pool.Rent(size);

    public void Return(IMemoryOwner<byte> buffer) => buffer.Dispose();
}

internal readonly struct Arrays(int size) : ISubject<byte[]>
{
    public byte[] Rent() => ArrayPool<byte>.Shared.Rent(size);

    public void Return(byte[] buffer) => ArrayPool<byte>.Shared.Return(buffer);
}

internal readonly unsafe struct Malloc(int size) : ISubject<nint>
{
    public nint Rent() => (nint)NativeMemory.Alloc((nuint)size);

    public void Return(nint buffer) => NativeMemory.Free((void*)buffer);
}

/// <summary>Lends nothing: what the measuring itself takes.</summary>
internal readonly struct Nothing : ISubject<object?>
{
    public object? Rent() => null;

    public void Return(object? buffer)
    {
    }
}
