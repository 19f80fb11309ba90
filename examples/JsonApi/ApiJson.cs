using System.Text.Json;
using System.Text.Json.Serialization;

namespace JsonApi;

/// <summary>How the types of this service are read and written, without reflection. Strict: a member that is unknown or there twice
/// is an error.</summary>
[JsonSourceGenerationOptions(
    JsonSerializerDefaults.Strict,
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(Book))]
[JsonSerializable(typeof(Book[]))]
[JsonSerializable(typeof(BookDraft))]
[JsonSerializable(typeof(Problem))]
internal sealed partial class ApiJson : JsonSerializerContext;
