namespace NetGo.Http;

/// <summary>What is put around a handler.</summary>
public static partial class Middleware;
