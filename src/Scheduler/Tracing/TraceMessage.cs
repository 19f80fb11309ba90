namespace NetGo;

/// <summary>What <see cref="GoTrace.Log(Context, string, string)"/> was called with.</summary>
internal sealed record TraceMessage(string Category, string Message);
