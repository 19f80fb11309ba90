namespace NetGo.Http;

/// <summary>Whether a cookie is sent with requests that other sites cause; Go's http.SameSite.</summary>
public enum CookieSameSite
{
    /// <summary>With all. Needs <see cref="ResponseCookie.Secure"/>.</summary>
    None,

    /// <summary>With those that lead the user here, as a link does.</summary>
    Lax,

    /// <summary>With none.</summary>
    Strict,
}
