namespace JsonApi;

/// <summary>What went wrong (RFC 9457, section 3.1). Its type is "about:blank": the status says what it is.</summary>
internal sealed record Problem(string Title, int Status, string? Detail, Dictionary<string, string[]>? Errors);
