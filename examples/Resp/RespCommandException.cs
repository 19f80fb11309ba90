namespace Resp;

/// <summary>A command cannot be done: the reply is an error, and the connection goes on.</summary>
/// <param name="message">The reply, with its code.</param>
internal sealed class RespCommandException(string message) : Exception(message)
{
    public static RespCommandException NotAnInteger() => new("ERR value is not an integer or out of range");

    public static RespCommandException Syntax() => new("ERR syntax error");

    public static RespCommandException WrongCount(string command) => new($"ERR wrong number of arguments for '{command}' command");
}
