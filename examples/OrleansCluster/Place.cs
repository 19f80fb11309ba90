namespace OrleansCluster;

/// <summary>Where a grain is.</summary>
/// <param name="Silo">The silo's name.</param>
/// <param name="Calls">How often it was asked since it was activated.</param>
[GenerateSerializer]
[Alias("Place")]
internal readonly record struct Place([property: Id(0)] string Silo, [property: Id(1)] int Calls);
