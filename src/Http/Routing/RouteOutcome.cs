namespace NetGo.Http;

/// <summary>What to do with a request.</summary>
internal enum RouteOutcome
{
    /// <summary>No pattern matches: 404.</summary>
    NotFound,

    /// <summary>A pattern matches.</summary>
    Found,

    /// <summary>Redirect to <see cref="PathMatch.RedirectPath"/> with <see cref="RoutingTree{T}.RedirectStatusCode"/>.</summary>
    Redirect,

    /// <summary>Only patterns for other methods match: 405 with <see cref="PathMatch.AllowedMethods"/>.</summary>
    MethodNotAllowed,
}
