namespace NetGo.Http;

/// <summary>Handlers that are complete by themselves.</summary>
public static partial class Handlers;
