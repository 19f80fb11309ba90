namespace Deployment;

/// <summary>A connection was closed before there was any of an answer.</summary>
internal sealed class ConnectionClosedException() : IOException("the connection was closed without an answer");
