using System.Buffers;
using NetGo;

namespace Sockets;

internal static class Buffers
{
    public static async Task RentAsync()
    {
        Stream stream = new MemoryStream(new byte[12_345]);
        CancellationToken cancellationToken = default;

        // snippet: buffers
        BufferPool pool = BufferPool.Shared;

        NetBuffer buffer = pool.Rent(10_000);                                // 16 KiB: at least what was asked for
        int n = await stream.ReadAsync(buffer.Memory, cancellationToken);
        Console.WriteLine($"{n} of {buffer.Length} bytes");
        buffer.Return();                                                     // or Dispose, or `using`

        using (IMemoryOwner<byte> owner = pool.MemoryPool.Rent(100))         // the same, for whoever wants a MemoryPool<byte>
            owner.Memory.Span.Clear();

        NetBuffer later = await pool.RentAsync(4096, cancellationToken);     // waits while the pool is at its limit
        later.Return();
        // end
    }
}
