using System.Net;
using System.Text;
using NetGo.Netpoll;

namespace Sockets;

internal static class Datagrams
{
    public static async Task UdpAsync()
    {
        // snippet: udp
        using UdpSocket server = UdpSocket.Bind("127.0.0.1:0");
        using UdpSocket client = UdpSocket.Connect((IPEndPoint)server.LocalEndPoint);
        await client.SendAsync("ping"u8.ToArray());

        byte[] buffer = new byte[2048];
        DatagramInfo received = await server.ReceiveFromAsync(buffer);          // allocates nothing for the address
        string text = Encoding.ASCII.GetString(buffer, 0, received.Length);
        string from = received.Address.Address.Equals(IPAddress.Loopback) ? "a loopback address" : "elsewhere";
        Console.WriteLine($"{text} from {from}");
        await server.SendToAsync("pong"u8.ToArray(), received.Address);
        // end
    }

    public static async Task BatchAsync()
    {
        using UdpSocket server = UdpSocket.Bind("127.0.0.1:0");
        using UdpSocket client = UdpSocket.Connect((IPEndPoint)server.LocalEndPoint);
        // snippet: udp-batch
        var batch = new DatagramBatch(capacity: 64, datagramSize: 1500);        // used again and again
        for (byte i = 0; i < 3; i++)
            batch.Add([i]);
        await client.SendBatchAsync(batch);                                     // one sendmmsg(2)

        int count = await server.ReceiveBatchAsync(batch);                      // one recvmmsg(2)
        Console.WriteLine($"{count} datagrams");
        // end
    }
}
