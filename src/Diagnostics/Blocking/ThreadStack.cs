using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Reflection;

namespace NetGo.Diagnostics;

/// <summary>The stack of a thread, as frames.</summary>
internal static class ThreadStack
{
    /// <summary>Of the calling thread, from the code that uses the scheduler outwards to where the scheduler calls it.</summary>
    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "Methods that have been trimmed are missing in the stack.")]
    public static IReadOnlyList<GoroutineFrame> OfCaller()
    {
        var frames = new List<GoroutineFrame>();
        bool inUsersCode = false;
        foreach (StackFrame frame in new StackTrace(fNeedFileInfo: false).GetFrames())
        {
            if (frame.GetMethod() is not { } method)
                continue;
            if (method.DeclaringType == typeof(Goroutine) || method.DeclaringType == typeof(Machine))
            {
                if (inUsersCode)
                    break;
                continue;
            }
            // What of this library the code has called is left out up to the lock itself.
            if (!inUsersCode && method.DeclaringType is { } type && (type.Assembly == typeof(ThreadStack).Assembly || (type.Assembly == typeof(GoScheduler).Assembly && !method.IsPublic)))
                continue;
            inUsersCode = true;
            SourceLine line = ModuleSymbols.Of(method.Module).LineAt(method.MetadataToken, frame.GetILOffset());
            frames.Add(new GoroutineFrame(MethodNames.Of(method.DeclaringType, method.Name), line.File, line.Line));
        }
        return frames;
    }
}
