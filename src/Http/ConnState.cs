namespace NetGo.Http;

/// <summary>What a connection is at; Go's http.ConnState. New and then Active or Closed; Active and then Idle, Hijacked or Closed; Idle and
/// then Active or Closed. After Hijacked and Closed there is nothing more.</summary>
public enum ConnState
{
    /// <summary>It has been accepted, and nothing has come yet.</summary>
    New,

    /// <summary>A byte of a request has come.</summary>
    Active,

    /// <summary>The answer has been sent; the connection waits for the next request.</summary>
    Idle,

    /// <summary>A handler has taken it over.</summary>
    Hijacked,

    /// <summary>It is closed.</summary>
    Closed,
}
