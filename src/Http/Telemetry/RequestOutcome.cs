namespace NetGo.Http;

/// <summary>How a request ended, as far as telemetry tells requests apart.</summary>
/// <param name="Status">The status of the response; 0 when none was sent.</param>
/// <param name="Error">The type of the exception that the request failed with, or another word for the failure; null when it did not fail, or
/// when the status says it all.</param>
internal readonly record struct RequestOutcome(int Status, string? Error)
{
    /// <summary>The handler has sent less than it had announced.</summary>
    public const string Incomplete = "incomplete_response";

    /// <summary>What OpenTelemetry's semantic conventions have for error.type: null for all but failures, which responses 4xx are not.</summary>
    public string? ErrorType => Error ?? (Status >= 500 ? StatusNames.Of(Status) : null);
}
