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
            // The innermost frames are this library's, up to what the code has called; the outermost those of the machine that runs it.
            if (inUsersCode && (method.DeclaringType == typeof(Goroutine) || method.DeclaringType == typeof(Machine)))
                break;
            if (!inUsersCode && method.DeclaringType is { } type && IsOfLibrary(type.Assembly) && !(type.IsVisible && method.IsPublic))
                continue;
            inUsersCode = true;
            SourceLine line = default;
            if (method.DeclaringType is not null) // one that was made at run time has no token, and throws
                line = ModuleSymbols.Of(method.Module).LineAt(method.MetadataToken, frame.GetILOffset());
            frames.Add(new GoroutineFrame(MethodNames.Of(method.DeclaringType, method.Name), line.File, line.Line));
        }
        return StackFrames.Clean(frames);
    }

    private static bool IsOfLibrary(Assembly assembly) => assembly == typeof(ThreadStack).Assembly || assembly == typeof(GoScheduler).Assembly;
}
