using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Experiments;

/// <summary>Sends frames of a size, as fast as they are taken, over some connections with a thread each.</summary>
internal static class FrameSender
{
    private const int PieceLength = 64 * 1024;

    public static void Run(int port, int connections, int frameLength)
    {
        byte[] piece = Make(frameLength, Math.Max(1, PieceLength / (Frames.HeaderLength + frameLength)));
        Thread[] threads = new Thread[connections];
        for (int i = 0; i < connections; i++)
        {
            threads[i] = new Thread(() => Send(port, piece));
            threads[i].Start();
        }
        foreach (Thread thread in threads)
            thread.Join();
    }

    public static byte[] Make(int frameLength, int count)
    {
        byte[] piece = new byte[(Frames.HeaderLength + frameLength) * count];
        for (int i = 0; i < count; i++)
        {
            Span<byte> frame = piece.AsSpan(i * (Frames.HeaderLength + frameLength));
            BinaryPrimitives.WriteInt32BigEndian(frame, frameLength);
            frame.Slice(Frames.HeaderLength, frameLength).Fill((byte)i);
        }
        return piece;
    }

    private static void Send(int port, byte[] piece)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Connect(IPAddress.Loopback, port);
        try
        {
            while (true)
                socket.Send(piece);
        }
        catch (SocketException)
        {
            // The reader has closed it.
        }
    }
}
