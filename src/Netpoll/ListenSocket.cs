using System.Net;

namespace NetGo.Netpoll;

/// <summary>One of the sockets of a <see cref="NetListener"/>. Its connections go to the pollers in turn; most have one.</summary>
internal sealed class ListenSocket : NetSocket
{
    private const int FirstBackOffMilliseconds = 5;
    private const int LastBackOffMilliseconds = 1000;

    private readonly INetPoller[] _pollers;
    private readonly ListenOptions _options;
    private readonly EndPoint _endPoint;
    private volatile bool _shared;
    private int _nextPoller;
    private int _backOff = FirstBackOffMilliseconds;

    /// <param name="scheduler">Whose goroutines accept.</param>
    /// <param name="pollers">Those of the connections; the first is also the socket's own.</param>
    /// <param name="descriptor">Bound and listening.</param>
    /// <param name="options">Those of the listener.</param>
    public ListenSocket(GoScheduler scheduler, INetPoller[] pollers, nint descriptor, ListenOptions options)
        : base(scheduler, pollers[0], descriptor)
    {
        _pollers = pollers;
        _options = options;
        _endPoint = LocalEndPoint; // it cannot be asked for any more after a close
    }

    internal override string Noun => "listener";

    private protected override bool IsShared => _shared;

    /// <summary>Another process has it too, and may go on accepting when this one has closed it.</summary>
    public void MarkShared() => _shared = true;

    /// <summary>A duplicate for another process, with this number or a greater one. It is the caller's, to be closed.</summary>
    /// <exception cref="ObjectDisposedException">It has been closed.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">There are no descriptors left.</exception>
    public nint Lend(int lowest)
    {
        MarkShared(); // before the reference: a close that comes after it sees the mark
        AddReference();
        try
        {
            nint duplicate = UnixSockets.Duplicate(Descriptor, lowest);
            SystemSockets.Require((int)duplicate, $"hand {_endPoint} over");
            return duplicate;
        }
        finally
        {
            Release();
        }
    }

    /// <summary>Accepts a connection; null when the listener has been closed.</summary>
    public async ValueTask<NetConnection?> AcceptAsync()
    {
        while (true)
        {
            if (!TryAddReference())
                return null;
            try
            {
                nint descriptor = Accept(out RawAddress remote, out int error);
                if (descriptor >= 0)
                {
                    if (_backOff != FirstBackOffMilliseconds)
                        Recover();
                    if (Machine.SpendBudget())
                        await Go.YieldAsync();
                    return new NetConnection(Scheduler, NextPoller(), descriptor, remote) { Lingers = _options.Lingers };
                }
                if (error == SystemSockets.WouldBlock)
                {
                    if (await WaitAsync(PollMode.Read) == PollResult.Closing)
                        return null;
                }
                else if (!SystemSockets.IsOfOneConnection(error))
                {
                    if (!await BackOffAsync(error))
                        return null;
                }
            }
            finally
            {
                Release();
            }
        }
    }

    private unsafe nint Accept(out RawAddress remote, out int error)
    {
        byte* raw = stackalloc byte[SystemSockets.MaxAddressLength];
        uint length = SystemSockets.MaxAddressLength;
        nint descriptor = SystemSockets.Accept(Descriptor, raw, &length, out error);
        // On Linux it has inherited all that the listening socket was told, which saves the calls.
        if (!OperatingSystem.IsLinux() && descriptor >= 0)
            _options.ApplyToAccepted(descriptor, _endPoint);
        remote = descriptor < 0 ? default : RawAddress.From(new ReadOnlySpan<byte>(raw, (int)Math.Min(length, SystemSockets.MaxAddressLength)));
        return descriptor;
    }

    private INetPoller NextPoller()
    {
        if (_pollers.Length == 1)
            return _pollers[0];
        _nextPoller = (_nextPoller + 1) % _pollers.Length;
        return _pollers[_nextPoller];
    }

    // Out of descriptors or memory, most often: the connection stays in the backlog until some are freed. The wait is one for an
    // event that does not come (the last one was consumed), so a close ends it. False when there was one.
    private async ValueTask<bool> BackOffAsync(int error)
    {
        if (Desc.Check(PollMode.Read) == PollResult.Closing)
            return false; // the shut-down that is part of a close is an error of accept's
        if (_backOff == FirstBackOffMilliseconds)
            NetpollLog.AcceptExhausted(_options.Logger, _endPoint, SystemSockets.ExceptionFor(error, "accept").Message);
        Desc.SetDeadline(PollMode.Read, Scheduler.TimeAfter(TimeSpan.FromMilliseconds(_backOff)));
        _backOff = Math.Min(_backOff * 2, LastBackOffMilliseconds);
        PollResult result;
        do
            result = await Desc.WaitAsync(PollMode.Read); // not armed: where events have to be asked for, none shall come
        while (result == PollResult.Ready); // another connection came, for which there is no room either
        Desc.SetDeadline(PollMode.Read, long.MaxValue);
        return result != PollResult.Closing;
    }

    private void Recover()
    {
        _backOff = FirstBackOffMilliseconds;
        NetpollLog.AcceptRecovered(_options.Logger, _endPoint);
    }
}
