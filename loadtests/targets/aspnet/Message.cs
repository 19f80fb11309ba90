using System.Text.Json.Serialization;

namespace AspNetTarget;

/// <summary>The answer to GET /json.</summary>
internal sealed record Message([property: JsonPropertyName("message")] string Text);

/// <summary>Serializes <see cref="Message"/> without reflection.</summary>
[JsonSerializable(typeof(Message))]
internal sealed partial class MessageJson : JsonSerializerContext;
