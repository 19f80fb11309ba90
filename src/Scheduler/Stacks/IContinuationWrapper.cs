namespace NetGo;

/// <summary>Something between a parked goroutine and the continuation that its code gave.</summary>
internal interface IContinuationWrapper
{
    /// <summary>Of the code's own continuation.</summary>
    object? Argument { get; }
}
