using NetGo;
using NetGo.Netpoll;

namespace Sockets;

internal static class Files
{
    public static async Task SendFileAsync()
    {
        using NetListener listener = NetListener.Listen("127.0.0.1:0");
        Task<NetConnection> dial = NetConnection.DialAsync(listener.LocalEndPoint).AsTask();
        NetConnection connection = await listener.AcceptAsync();
        using NetConnection client = await dial;
        string path = Path.GetTempFileName();
        await File.WriteAllBytesAsync(path, new byte[100_000]);
        Go.Spawn(async () =>
        {
            // snippet: sendfile
            await connection.SendFileAsync(path);    // sendfile(2) where the system has it
            connection.CloseWrite();
            // end
        });
        byte[] buffer = new byte[16 * 1024];
        int total = 0;
        while (await client.ReadAsync(buffer) is > 0 and int n)
            total += n;
        Console.WriteLine($"{total} bytes");
        connection.Close();
        File.Delete(path);
    }
}
