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

// A connection has a buffer only while there is something to read: one that was just given back is in the cache still, and a thousand
// of 64 KiB are not.
static async Task EchoAsync(NetConnection connection, bool once)
{
    try
    {
        while (await EchoWhatIsThereAsync(connection, once))
            await connection.WaitToReadAsync();
    }
    catch (IOException)
    {
        // The peer has reset the connection.
    }
    finally
    {
        connection.Close();
    }
}

// False when the connection is to be closed.
static async ValueTask<bool> EchoWhatIsThereAsync(NetConnection connection, bool once)
{
    byte[] buffer = ArrayPool<byte>.Shared.Rent(EchoArguments.BufferSize);
    try
    {
        while (connection.TryRead(buffer, out int n))
        {
            if (n == 0)
                return false;
            await connection.WriteAsync(buffer.AsMemory(0, n));
            if (once)
                return false;
        }
        return true;
    }
    finally
    {
        ArrayPool<byte>.Shared.Return(buffer);
    }
}
