using System.Collections;
using Microsoft.Extensions.Logging;

namespace NetGo;

/// <summary>The names of the scopes and tasks that the running code is in, "root/fetch/part-3"; flows with the
/// <see cref="ExecutionContext"/>. Is itself the state of a logger's scope: its one property is TaskPath. The text is made when
/// somebody asks for it.</summary>
internal sealed class TaskPath(TaskPath? parent, string name, ILogger? logger) : IReadOnlyList<KeyValuePair<string, object?>>
{
    private static readonly AsyncLocal<TaskPath?> s_current = new();

    private string? _text;

    public static TaskPath? Current
    {
        get => s_current.Value;
        set => s_current.Value = value;
    }

    /// <summary>Where it stands below; null for an outermost scope.</summary>
    public TaskPath? Parent => parent;

    public ILogger? Logger => logger;

    public int Count => 1;

    public KeyValuePair<string, object?> this[int index] =>
        index == 0 ? new("TaskPath", ToString()) : throw new ArgumentOutOfRangeException(nameof(index));

    public IEnumerator<KeyValuePair<string, object?>> GetEnumerator()
    {
        yield return this[0];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    public override string ToString() => _text ??= parent is null ? name : $"{parent}/{name}";

    public IDisposable? BeginLoggerScope() => logger?.BeginScope(this);
}
