namespace NetGo;
internal static class AsyncStack
{
    public static IReadOnlyList<GoroutineFrame> Of(object? argument, Task? body) => [];
}
