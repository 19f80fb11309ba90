using Xunit.Runner.InProc.SystemConsole;

namespace NetGo.Netpoll.Tests;

/// <summary>Runs the tests; or, started by one of them, a server that inherits its sockets.</summary>
internal static class Program
{
    public static Task<int> Main(string[] args) =>
        args is [ChildServer.Argument, .. var rest] ? ChildServer.RunAsync(rest) : ConsoleRunner.Run(args);
}
