using System.Net;
using System.Net.Sockets;

namespace NetGo.Netpoll;

// Connecting to one address. What can go wrong on the way and is not the user's error:
//
//   a TCP connection to itself              another attempt; the third time it is a refusal, for nobody listens there
//   (IsConnectedToItself)
//   "address not available", the port       another attempt; both after Go's doDialTCP
//   having been the system's choice
//   a Unix socket whose listener            asked again until there is room. TCP does that by itself; here not even an event
//   has a full backlog                      tells
public sealed partial class NetDialer
{
    private const int MaxAttempts = 3;

    private static readonly TimeSpan s_firstBackOff = TimeSpan.FromMilliseconds(1);
    private static readonly TimeSpan s_lastBackOff = TimeSpan.FromMilliseconds(50);

    private async ValueTask<NetConnection> ConnectAsync(DialTarget target, long deadline, CancellationToken cancellationToken)
    {
        EndPoint endPoint = target.EndPoint!;
        if (endPoint is IPEndPoint { Address.IsIPv4MappedToIPv6: true } mapped)
            endPoint = new IPEndPoint(mapped.Address.MapToIPv4(), mapped.Port);
        SocketAddress address = endPoint.Serialize();
        bool systemChoosesPort = endPoint is IPEndPoint && LocalEndPoint is null or IPEndPoint { Port: 0 };
        for (int attempt = 1; ; attempt++)
        {
            NetConnection connection = Open(target, endPoint);
            int error;
            try
            {
                error = await ConnectAsync(connection, address, target, deadline, cancellationToken);
            }
            catch
            {
                connection.Close();
                throw;
            }
            bool toItself = error == 0 && systemChoosesPort && connection.IsConnectedToItself();
            if (error == 0 && !toItself)
                return connection;
            connection.Abort(); // to itself, a mere close would keep the port from who wants to listen there, for a minute
            bool chosenBadly = toItself || (systemChoosesPort && SystemSockets.CodeOf(error) == SocketError.AddressNotAvailable);
            if (chosenBadly && attempt < MaxAttempts)
                continue;
            throw toItself
                ? new SocketException((int)SocketError.ConnectionRefused, $"dial {target}: nobody listens there")
                : SystemSockets.ExceptionFor(error, $"dial {target}");
        }
    }

    // The system's error, or 0.
    private static async ValueTask<int> ConnectAsync(
        NetConnection connection, SocketAddress address, DialTarget target, long deadline, CancellationToken cancellationToken)
    {
        TimeSpan backOff = s_firstBackOff;
        while (true)
        {
            (PollResult wait, int error) =
                await connection.ConnectAsync(address.Buffer[..address.Size], deadline, cancellationToken);
            if (wait == PollResult.Timeout)
                throw TimedOut(target);
            if (wait == PollResult.Cancelled)
                throw Cancelled(target, cancellationToken);
            bool isUnix = address.Family == AddressFamily.Unix;
            if (!isUnix || error == 0 || SystemSockets.CodeOf(error) != SocketError.WouldBlock)
                return error;
            TimeSpan left = TimeSpan.FromTicks((deadline - connection.Scheduler.Now()) / 100);
            if (left <= TimeSpan.Zero)
                throw TimedOut(target);
            await Go.SleepAsync(left < backOff ? left : backOff, cancellationToken);
            backOff = backOff * 2 < s_lastBackOff ? backOff * 2 : s_lastBackOff;
        }
    }

    private NetConnection Open(in DialTarget target, EndPoint endPoint)
    {
        ProtocolType protocol = endPoint is IPEndPoint ? ProtocolType.Tcp : ProtocolType.Unspecified;
        nint socket = SystemSockets.Open(endPoint.AddressFamily, SocketType.Stream, protocol, out int error);
        if (socket < 0)
            throw SystemSockets.ExceptionFor(error, $"dial {target}");
        try
        {
            ApplyTo(socket, endPoint);
            if (FastOpen && endPoint is IPEndPoint)
                SocketOptions.SetFastOpenConnect(socket);
            if (LocalEndPoint is { } local)
            {
                SocketAddress from = local.Serialize();
                SystemSockets.Require(SystemSockets.Bind(socket, from.Buffer.Span[..from.Size]), $"dial {target} from {local}");
            }
            Control?.Invoke(socket);
            GoScheduler scheduler = Scheduler;
            return new NetConnection(scheduler, PollerSelection.ForNewSocket(scheduler), socket, default) { Lingers = Lingers };
        }
        catch
        {
            _ = SystemSockets.Close(socket);
            throw;
        }
    }
}
