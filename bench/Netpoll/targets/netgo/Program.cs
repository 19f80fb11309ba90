// The echo server on NetGo.Netpoll, written as a user of it would: a goroutine for each connection.
using System.Buffers;
using NetGo;
using NetGo.Netpoll;

if (EchoArguments.Parse(args) is not { } arguments)
{
    Console.Error.WriteLine($"usage: netgo {EchoArguments.Usage}");
    return 2;
}

Func<object?, Task> echo = connection => EchoAsync((NetConnection)connection!, arguments.Once);
await Go.RunAsync(async () =>
{
    using NetListener listener = NetListener.Listen($"127.0.0.1:{arguments.Port}");
    while (true)
    {
        NetConnection connection = await listener.AcceptAsync();
        if (arguments.AcceptOnly)
            connection.Close();
        else
            Go.Spawn(echo, connection);
    }
});
return 0;

static async Task EchoAsync(NetConnection connection, bool once)
{
    byte[] buffer = ArrayPool<byte>.Shared.Rent(EchoArguments.BufferSize);
    try
    {
        int n;
        while ((n = await connection.ReadAsync(buffer)) > 0)
        {
            await connection.WriteAsync(buffer.AsMemory(0, n));
            if (once)
                break;
        }
    }
    catch (IOException)
    {
        // The peer has reset the connection.
    }
    finally
    {
        ArrayPool<byte>.Shared.Return(buffer);
        connection.Close();
    }
}
