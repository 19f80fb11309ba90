namespace OrleansCluster;

/// <summary>A grain that knows where it is.</summary>
[Alias("IPlaceGrain")]
internal interface IPlaceGrain : IGrainWithIntegerKey
{
    /// <summary>The silo that it is on.</summary>
    [Alias("Where")]
    ValueTask<Place> WhereAsync();

    /// <summary>Has it ask another one: over the connection of the silos, when that is on the other.</summary>
    [Alias("Ask")]
    ValueTask<Place> AskAsync(long other);

    /// <summary>The connections of its silo.</summary>
    [Alias("Report")]
    ValueTask<TransportReport> ReportAsync();
}
