namespace NetGo.LoadTests;

/// <summary>What a client saw under full load.</summary>
/// <param name="Count">Of requests, or messages, that were answered as they should be.</param>
/// <param name="P50">Latency in ms. So are the others.</param>
internal sealed record Load(long Count, double Seconds, double P50, double P99, double Max);
