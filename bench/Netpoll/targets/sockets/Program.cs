// The echo server on System.Net.Sockets, written as a good user of it would: a task for each connection, no allocation for a message.
using System.Buffers;
using System.Net;
using System.Net.Sockets;

if (EchoArguments.Parse(args) is not { } arguments)
{
    Console.Error.WriteLine($"usage: sockets {EchoArguments.Usage}");
    return 2;
}

using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
listener.Bind(new IPEndPoint(IPAddress.Loopback, arguments.Port));
listener.Listen(4096);
while (true)
{
    Socket socket = await listener.AcceptAsync();
    if (arguments.AcceptOnly)
        socket.Dispose();
    else
        _ = EchoAsync(socket, arguments.Once);
}

static async Task EchoAsync(Socket socket, bool once)
{
    byte[] buffer = ArrayPool<byte>.Shared.Rent(EchoArguments.BufferSize);
    try
    {
        socket.NoDelay = true;
        int n;
        while ((n = await socket.ReceiveAsync(buffer.AsMemory(), SocketFlags.None)) > 0)
        {
            for (int sent = 0; sent < n;)
                sent += await socket.SendAsync(buffer.AsMemory(sent, n - sent), SocketFlags.None);
            if (once)
                break;
        }
    }
    catch (SocketException)
    {
        // The peer has reset the connection.
    }
    finally
    {
        ArrayPool<byte>.Shared.Return(buffer);
        socket.Dispose();
    }
}
