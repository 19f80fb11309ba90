using System.Text.Json.Serialization;

namespace ClientsServer;

/// <summary>What /json answers.</summary>
internal readonly record struct Message([property: JsonPropertyName("message")] string Text);

[JsonSerializable(typeof(Message))]
internal sealed partial class MessageContext : JsonSerializerContext;
