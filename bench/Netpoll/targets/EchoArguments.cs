/// <summary>What an echo server is told to do: <c>PORT [--once | --accept]</c>. See ../README.md.</summary>
internal readonly record struct EchoArguments(int Port, bool Once, bool AcceptOnly)
{
    /// <summary>How much is read at a time: all servers here have a buffer of this size, in bytes, for each connection.</summary>
    public const int BufferSize = 64 * 1024;

    public const string Usage = "PORT [--once | --accept]";

    public static EchoArguments? Parse(string[] args)
    {
        string task = args.Length == 2 ? args[1] : "";
        if (args.Length is not (1 or 2) || !ushort.TryParse(args[0], out ushort port) || task is not ("" or "--once" or "--accept"))
            return null;
        return new EchoArguments(port, task == "--once", task == "--accept");
    }
}
