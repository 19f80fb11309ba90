using NetGo.Netpoll.Tests.Stress;
using Xunit.Runner.InProc.SystemConsole;

namespace NetGo.Netpoll.Tests;

/// <summary>Runs the tests; or, started by one of them, a server that inherits its sockets, or what stress tests need a process of
/// its own for.</summary>
internal static class Program
{
    public static Task<int> Main(string[] args) => args switch
    {
        [ChildServer.Argument, .. var rest] => ChildServer.RunAsync(rest),
        [ChildProgram.Argument, .. var rest] => ChildProgram.RunAsync(rest),
        _ => ConsoleRunner.Run(args),
    };
}
