using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace NetGo;

/// <summary>What is known of an async method by the type of its state machine.</summary>
internal sealed class StateMachineInfo
{
    private const BindingFlags AnyInstance = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;
    private const int MaxAwaiterDepth = 4;

    private static readonly ConditionalWeakTable<Type, StateMachineInfo> s_known = []; // what is loaded for a while may go

    private readonly FieldInfo? _state;
    private readonly List<FieldInfo> _awaiters = [];
    private readonly GoroutineFrame _withoutLine;
    private readonly GoroutineFrame?[] _frames;

    [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = "What has been trimmed is missing in the stack.")]
    [UnconditionalSuppressMessage("Trimming", "IL2075", Justification = "What has been trimmed is missing in the stack.")]
    private StateMachineInfo(Type type)
    {
        _withoutLine = new GoroutineFrame(MethodNames.OfStateMachine(type), null, 0);
        foreach (FieldInfo field in type.GetFields(AnyInstance))
        {
            if (field.Name == "<>1__state")
                _state = field;
            else if (field.Name.StartsWith("<>u__", StringComparison.Ordinal))
                _awaiters.Add(field);
        }
        Type definition = type.IsGenericType ? type.GetGenericTypeDefinition() : type;
        MethodInfo? moveNext = definition.GetMethod("MoveNext", AnyInstance, []);
        SourceLine[] lines = moveNext is null ? [] : ModuleSymbols.Of(moveNext.Module).AwaitsOf(moveNext.MetadataToken);
        _frames = Array.ConvertAll(lines, line => line.File is null ? null : new GoroutineFrame(_withoutLine.Method, line.File, line.Line));
    }

    public static StateMachineInfo Of(Type type) => s_known.GetValue(type, static t => new StateMachineInfo(t));

    /// <summary>The method, with the line of the await that the state machine is at.</summary>
    public GoroutineFrame FrameOf(object machine) =>
        _state?.GetValue(machine) is int state && state >= 0 && state < _frames.Length && _frames[state] is { } frame ? frame : _withoutLine;

    /// <summary>What it waits for. The compiler clears an awaiter's field when the wait is over, so there is one at most.</summary>
    public object? AwaitedBy(object machine)
    {
        foreach (FieldInfo field in _awaiters)
        {
            if (field.GetValue(machine) is { } awaiter && Inside(awaiter, 0) is { } awaited)
                return awaited;
        }
        return null;
    }

    // An awaiter is a structure with the task in it, or one with a ValueTask in it, with a task or a source in that.
    private static object? Inside(object awaiter, int depth)
    {
        Type type = awaiter.GetType();
        if (!type.IsValueType)
            return awaiter;
        if (type.IsPrimitive || type.IsEnum || depth == MaxAwaiterDepth)
            return null;
        foreach (FieldInfo field in FieldsOf(type))
        {
            if (field.GetValue(awaiter) is { } value and not (Delegate or SynchronizationContext or Array or string) && Inside(value, depth + 1) is { } found)
                return found;
        }
        return null;
    }

    [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = "What has been trimmed is missing in the stack.")]
    private static FieldInfo[] FieldsOf(Type type) => type.GetFields(AnyInstance);
}
