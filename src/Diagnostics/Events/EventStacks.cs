using System.Reflection;
using Microsoft.Diagnostics.Tracing.Etlx;

namespace NetGo.Diagnostics;

/// <summary>The stacks of recorded events as frames, with names as people gave them. For one log and one thread.</summary>
internal sealed class EventStacks
{
    private readonly Dictionary<CodeAddressIndex, GoroutineFrame> _frames = [];
    private readonly Dictionary<string, Module?> _modules = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>From the innermost outwards.</summary>
    public IReadOnlyList<GoroutineFrame> Of(TraceCallStack? stack)
    {
        var frames = new List<GoroutineFrame>();
        for (; stack is not null; stack = stack.Caller)
        {
            TraceCodeAddress address = stack.CodeAddress;
            if (!_frames.TryGetValue(address.CodeAddressIndex, out GoroutineFrame? frame))
                _frames.Add(address.CodeAddressIndex, frame = FrameOf(address));
            frames.Add(frame);
        }
        return StackFrames.Clean(frames);
    }

    /// <summary>The thread came back from native code, a wait most often, when the sampler had stopped all others: it does not run yet, though the
    /// runtime counts it as running managed code.</summary>
    public static bool ComesBack(TraceCallStack? stack) =>
        stack?.CodeAddress.FullMethodName.StartsWith("System.Threading.Thread.PollGC", StringComparison.Ordinal) == true;

    private GoroutineFrame FrameOf(TraceCodeAddress address)
    {
        string name = address.FullMethodName;
        if (string.IsNullOrEmpty(name))
            return new GoroutineFrame(string.IsNullOrEmpty(address.ModuleName) ? "?" : address.ModuleName, null, 0);
        (string type, string method) = Split(name);
        SourceLine line = LineOf(address);
        return new GoroutineFrame(MethodNames.Of(type, method), line.File, line.Line);
    }

    // "Namespace.Type+Inner`1[System.__Canon].Method(class System.String)": at the last dot that is in no bracket.
    internal static (string Type, string Method) Split(string fullName)
    {
        int depth = 0;
        int dot = -1;
        int end = fullName.Length;
        for (int i = 0; i < fullName.Length; i++)
        {
            char c = fullName[i];
            if (c == '(' && depth == 0)
            {
                end = i;
                break;
            }
            if (c is '[' or '<')
                depth++;
            else if (c is ']' or '>')
                depth--;
            else if (c == '.' && depth == 0 && (i == 0 || fullName[i - 1] != '.')) // not the second of "Type..ctor"
                dot = i;
        }
        return dot < 0 ? ("", fullName[..end]) : (fullName[..dot], fullName[(dot + 1)..end]);
    }

    private SourceLine LineOf(TraceCodeAddress address)
    {
        if (address.Method is not { } method || address.ILOffset < 0 || ModuleOf(method.MethodModuleFile?.FilePath) is not { } module)
            return default;
        return ModuleSymbols.Of(module).LineAt(method.MethodToken, address.ILOffset);
    }

    private Module? ModuleOf(string? path)
    {
        string name = Path.GetFileNameWithoutExtension(path) ?? "";
        if (!_modules.TryGetValue(name, out Module? module))
        {
            module = AppDomain.CurrentDomain.GetAssemblies()
                .FirstOrDefault(a => !a.IsDynamic && string.Equals(a.GetName().Name, name, StringComparison.OrdinalIgnoreCase))?.ManifestModule;
            _modules.Add(name, module);
        }
        return module;
    }
}
