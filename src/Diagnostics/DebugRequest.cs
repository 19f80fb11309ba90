using System.Net;

namespace NetGo.Diagnostics;

/// <summary>A request for one of the debugging pages, whichever server it has come to.</summary>
public abstract class DebugRequest
{
    private protected DebugRequest()
    {
    }

    /// <summary>As in "GET".</summary>
    public abstract string Method { get; }

    /// <summary>Decoded, as in "/debug/pprof/heap".</summary>
    public abstract string Path { get; }

    /// <summary>Who has connected. Behind a reverse proxy that is the proxy. Null when it is not known.</summary>
    public abstract EndPoint? RemoteEndPoint { get; }

    /// <summary>Whom the client believes to be talking to: Host.</summary>
    public abstract string Host { get; }

    /// <summary>Ends when the client goes away.</summary>
    public abstract CancellationToken Aborted { get; }

    /// <summary>The first value of a header field; null when there is none.</summary>
    /// <param name="name">Of the field, as in "Origin".</param>
    public abstract string? HeaderOf(string name);

    /// <summary>The first value of a parameter of the query, decoded; null when there is none.</summary>
    /// <param name="name">Of the parameter, as in "seconds".</param>
    public abstract string? QueryOf(string name);
}
