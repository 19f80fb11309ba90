using System.Runtime.CompilerServices;

namespace NetGo.Scheduler.Tests.Metrics;

/// <summary>There is a test that loads the scheduler's assembly a second time, and of two event sources with one name only the first works: so it is made
/// before any test.</summary>
internal static class FirstEventSource
{
    [ModuleInitializer]
    internal static void Make() => LiveSchedulers.Prepare();
}
