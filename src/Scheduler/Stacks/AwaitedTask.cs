namespace NetGo;

/// <summary>What a task that is of no async method is, so far as its type tells.</summary>
internal static class AwaitedTask
{
    /// <summary>As the frame of a method; null when there is nothing to say.</summary>
    public static string? Name(Task task)
    {
        Type type = task.GetType();
        string name = type.Name;
        if (name.Contains("DelayPromise", StringComparison.Ordinal))
            return "System.Threading.Tasks.Task.Delay";
        if (name.Contains("WhenAllPromise", StringComparison.Ordinal))
            return "System.Threading.Tasks.Task.WhenAll";
        if (name.Contains("CompleteOnInvokePromise", StringComparison.Ordinal) || name.Contains("WhenAnyPromise", StringComparison.Ordinal))
            return "System.Threading.Tasks.Task.WhenAny";
        if (name.Contains("CancellationPromise", StringComparison.Ordinal))
            return "System.Threading.Tasks.Task.WaitAsync";
        if (name.Contains("UnwrapPromise", StringComparison.Ordinal))
            return "System.Threading.Tasks.Task.Run";
        if (type.DeclaringType == typeof(SemaphoreSlim))
            return "System.Threading.SemaphoreSlim.WaitAsync";
        if (type == typeof(Task) || (type.IsGenericType && type.GetGenericTypeDefinition() == typeof(Task<>)))
            return task.Status == TaskStatus.WaitingForActivation ? "System.Threading.Tasks.TaskCompletionSource.Task" : $"System.Threading.Tasks.Task [{task.Status}]";
        return MethodNames.Of(type, "Task");
    }
}
