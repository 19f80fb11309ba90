using System.Net.Sockets;
using System.Text;

namespace Deployment;

// The protocol of sd_notify(3): lines of VARIABLE=VALUE in a datagram to the Unix socket NOTIFY_SOCKET. A host with
// Microsoft.Extensions.Hosting.Systemd does the same by UseSystemd().

/// <summary>Tells systemd how far the service is.</summary>
internal static class ServiceManager
{
    private static readonly string? s_path = Environment.GetEnvironmentVariable("NOTIFY_SOCKET");

    /// <summary>Sends a state, if there is a service manager that wants to know.</summary>
    /// <param name="state">"READY=1": it accepts connections. "STOPPING=1": it is about to end.</param>
    public static void Notify(string state)
    {
        if (string.IsNullOrEmpty(s_path))
            return;
        // A name that begins with @ is in Linux's abstract name space, where it begins with NUL.
        var endPoint = new UnixDomainSocketEndPoint(s_path[0] == '@' ? "\0" + s_path[1..] : s_path);
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
            socket.SendTo(Encoding.UTF8.GetBytes(state), endPoint);
        }
        catch (SocketException e)
        {
            Console.Error.WriteLine($"The service manager at {s_path} cannot be told {state}: {e.Message}");
        }
    }
}
