namespace Resp;

/// <summary>The client does not speak RESP: it is told so, and the connection is closed, for nobody knows where its next command begins.</summary>
/// <param name="message">What is wrong, in Redis's words.</param>
internal sealed class RespProtocolException(string message) : Exception(message);
