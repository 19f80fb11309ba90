namespace NetGo.LoadTests;

/// <summary>A measurement that failed; the message says why.</summary>
internal sealed class LoadTestException(string message) : Exception(message);
