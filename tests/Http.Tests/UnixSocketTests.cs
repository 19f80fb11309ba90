using System.Net.Sockets;
using System.Runtime.Versioning;

namespace NetGo.Http.Tests;

[UnsupportedOSPlatform("windows")]
public sealed class UnixSocketTests
{
    public UnixSocketTests() => Assert.SkipWhen(OperatingSystem.IsWindows(), "NetGo.Netpoll has no Unix sockets there");

    [Fact]
    public async Task A_server_listens_on_a_Unix_socket()
    {
        DirectoryInfo directory = Directory.CreateTempSubdirectory("ng");
        string path = Path.Combine(directory.FullName, "s");
        var server = new Server
        {
            Address = $"unix:{path}",
            Handler = new HandlerFunc((response, request) => response.WriteAsync($"[{request.RemoteEndPoint}]")), // the peer has no name
        };
        Task serving = server.ListenAndServeAsync();
        using (var client = new HttpClient(new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellationToken) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellationToken);
                return new NetworkStream(socket, ownsSocket: true);
            },
        }))
        {
            for (int i = 0; i < 3; i++)
                Assert.Equal("[]", await client.GetStringAsync(new Uri("http://h/")).WaitAsync(TestServer.Bound));
        }
        await server.ShutdownAsync().WaitAsync(TestServer.Bound);
        await serving.WaitAsync(TestServer.Bound);
        Assert.False(Path.Exists(path));
        directory.Delete();
    }
}
