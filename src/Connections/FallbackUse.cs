namespace NetGo.Connections;

/// <summary>When connections run over System.Net.Sockets instead of NetGo's pollers; <see cref="NetpollTransportOptions.Fallback"/>.</summary>
public enum FallbackUse
{
    /// <summary>Where no poller works: the system has none that NetGo knows, or refuses to make one.</summary>
    WhenNeeded,

    /// <summary>In any case.</summary>
    Always,

    /// <summary>Never: where no poller works, whoever listens or connects gets the error.</summary>
    Never,
}
