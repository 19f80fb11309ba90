namespace NetGo.Netpoll;

/// <summary>By what the system tells that sockets are ready.</summary>
public enum PollerKind
{
    /// <summary>The system's own: the one of the others that it has.</summary>
    Default,

    /// <summary>epoll(7), edge-triggered. Linux.</summary>
    Epoll,

    /// <summary>kqueue(2). macOS and FreeBSD; on Linux over the libkqueue that the environment variable <c>NETGO_LIBKQUEUE</c>
    /// names.</summary>
    Kqueue,

    /// <summary>A completion port, to which AFD, the system's socket driver, reports readiness. Windows.</summary>
    Iocp,
}
