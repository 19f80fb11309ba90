using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Threading.Tasks.Sources;

namespace NetGo;

/// <summary>The fields of a type by which <see cref="AsyncStack"/> goes on.</summary>
internal sealed class TypeFields
{
    private const BindingFlags Own = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;

    private static readonly ConditionalWeakTable<Type, TypeFields> s_known = []; // what is loaded for a while may go

    private readonly List<FieldInfo> _sources = [];
    private readonly List<FieldInfo> _references = [];

    [UnconditionalSuppressMessage("Trimming", "IL2070", Justification = "Fields that have been trimmed make the stack shorter.")]
    [UnconditionalSuppressMessage("Trimming", "IL2075", Justification = "Fields that have been trimmed make the stack shorter.")]
    private TypeFields(Type type)
    {
        for (Type? t = type; t is not null && t != typeof(object); t = t.BaseType)
        {
            foreach (FieldInfo field in t.GetFields(Own))
                Sort(field, t);
        }
    }

    /// <summary>Of the box of a state machine: the state machine.</summary>
    public FieldInfo? StateMachine { get; private set; }

    /// <summary>Of a task: what continues it.</summary>
    public FieldInfo? TaskContinuation { get; private set; }

    /// <summary>Those that are a <see cref="ManualResetValueTaskSourceCore{TResult}"/>.</summary>
    public IReadOnlyList<FieldInfo> Sources => _sources;

    /// <summary>Of a <see cref="ManualResetValueTaskSourceCore{TResult}"/>.</summary>
    public FieldInfo? Continuation { get; private set; }

    /// <summary>Of a <see cref="ManualResetValueTaskSourceCore{TResult}"/>: the continuation's argument.</summary>
    public FieldInfo? ContinuationState { get; private set; }

    /// <summary>All others that may lead to a continuation.</summary>
    public IReadOnlyList<FieldInfo> References => _references;

    public static TypeFields Of(Type type) => s_known.GetValue(type, static t => new TypeFields(t));

    private void Sort(FieldInfo field, Type declaring)
    {
        Type type = field.FieldType;
        if (field.Name == "StateMachine" && typeof(IAsyncStateMachine).IsAssignableFrom(type))
            StateMachine = field;
        else if (field.Name == "m_continuationObject" && declaring == typeof(Task))
            TaskContinuation = field;
        else if (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ManualResetValueTaskSourceCore<>))
            _sources.Add(field);
        else if (field.Name == "_continuation")
            Continuation = field;
        else if (field.Name == "_continuationState")
            ContinuationState = field;
        if (!type.IsValueType && type != typeof(string) && !typeof(SynchronizationContext).IsAssignableFrom(type) && type != typeof(ExecutionContext))
            _references.Add(field);
    }
}
