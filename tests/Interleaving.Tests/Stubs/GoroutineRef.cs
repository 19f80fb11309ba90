namespace NetGo;

internal readonly record struct GoroutineRef(Goroutine Goroutine);
