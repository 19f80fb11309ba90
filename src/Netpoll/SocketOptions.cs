using System.Net.Sockets;

namespace NetGo.Netpoll;

/// <summary>Options of a socket, set with their units and with errors that name them.</summary>
internal static class SocketOptions
{
    private static readonly TimeSpan s_longestLinger = TimeSpan.FromSeconds(short.MaxValue);

    /// <exception cref="PlatformNotSupportedException">The system has no such option.</exception>
    /// <exception cref="SocketException">It refused.</exception>
    public static void Set(nint socket, SocketOptionLevel level, SocketOptionName name, int value, string option) =>
        Require(SystemSockets.SetOption(socket, level, name, value), option);

    /// <inheritdoc cref="Set" path="/exception"/>
    public static int Get(nint socket, SocketOptionLevel level, SocketOptionName name, string option)
    {
        Require(SystemSockets.GetOption(socket, level, name, out int value), option);
        return value;
    }

    /// <inheritdoc cref="Set" path="/exception"/>
    public static void SetKeepAlive(nint socket, TcpKeepAlive keepAlive) =>
        Require(TrySetKeepAlive(socket, keepAlive), "KeepAlive");

    /// <summary>Sets as much of it as the system has; the first error, or 0.</summary>
    public static int TrySetKeepAlive(nint socket, TcpKeepAlive keepAlive)
    {
        int failure = 0;
        if (keepAlive.Enabled)
        {
            if (keepAlive.Idle is { } idle)
                Try(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, WholeSeconds(idle));
            if (keepAlive.Interval is { } interval)
                Try(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, WholeSeconds(interval));
            if (keepAlive.Count is { } count)
                Try(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, count);
        }
        Try(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, keepAlive.Enabled ? 1 : 0);
        return failure;

        void Try(SocketOptionLevel level, SocketOptionName name, int value)
        {
            int result = SystemSockets.SetOption(socket, level, name, value);
            if (failure == 0)
                failure = Math.Min(result, 0);
        }
    }

    /// <param name="socket">The socket.</param>
    /// <param name="linger">Checked; null for the system's default.</param>
    /// <inheritdoc cref="Set" path="/exception"/>
    public static void SetLinger(nint socket, TimeSpan? linger) =>
        Require(SystemSockets.SetLinger(socket, linger is not null, WholeSeconds(linger ?? TimeSpan.Zero)), "Linger");

    /// <exception cref="ArgumentOutOfRangeException">The system has no number for it.</exception>
    public static TimeSpan? CheckLinger(TimeSpan? value)
    {
        if (value is { } linger)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(linger, TimeSpan.Zero, nameof(value));
            ArgumentOutOfRangeException.ThrowIfGreaterThan(linger, s_longestLinger, nameof(value));
        }
        return value;
    }

    /// <inheritdoc cref="Set" path="/exception"/>
    public static void SetDeferAccept(nint listener, TimeSpan limit) =>
        Require(SystemSockets.DeferAccept(listener, WholeSeconds(limit)), nameof(ListenOptions.DeferAccept));

    /// <inheritdoc cref="Set" path="/exception"/>
    public static void SetFastOpenConnect(nint socket) =>
        Require(SystemSockets.FastOpenConnect(socket), nameof(NetDialer.FastOpen));

    private static int WholeSeconds(TimeSpan time) => (int)Math.Ceiling(time.TotalSeconds);

    private static void Require(int result, string option)
    {
        if (result >= 0)
            return;
        SocketException e = SystemSockets.ExceptionFor(-result, $"set {option}");
        if (e.SocketErrorCode is SocketError.ProtocolOption or SocketError.OperationNotSupported)
            throw new PlatformNotSupportedException($"{option} cannot be set: the system does not have it for this socket.", e);
        throw e;
    }
}
