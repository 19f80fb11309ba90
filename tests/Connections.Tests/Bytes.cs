using System.Buffers;
using System.IO.Pipelines;
using System.Text;

namespace NetGo.Connections.Tests;

internal static class Bytes
{
    /// <summary>Bytes of which no two stretches are alike.</summary>
    public static byte[] Random(int count, int seed = 1)
    {
        byte[] bytes = new byte[count];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    public static byte[] Of(string text) => Encoding.ASCII.GetBytes(text);

    public static string Text(this ReadOnlySequence<byte> bytes) => Encoding.ASCII.GetString(bytes);

    /// <summary>One read, all of it consumed.</summary>
    public static async Task<string> ReadTextAsync(this PipeReader reader)
    {
        ReadResult result = await reader.ReadAsync().AsTask().Within();
        string text = result.Buffer.Text();
        reader.AdvanceTo(result.Buffer.End);
        return text;
    }

    /// <summary>All up to the end, or to <paramref name="count"/> bytes.</summary>
    public static async Task<byte[]> ReadBytesAsync(this PipeReader reader, int? count = null)
    {
        var all = new MemoryStream();
        while (count is null || all.Length < count)
        {
            ReadResult result = await reader.ReadAsync().AsTask().Within();
            foreach (ReadOnlyMemory<byte> piece in result.Buffer)
                all.Write(piece.Span);
            reader.AdvanceTo(result.Buffer.End);
            if (result.IsCompleted)
                break;
        }
        return all.ToArray();
    }
}
