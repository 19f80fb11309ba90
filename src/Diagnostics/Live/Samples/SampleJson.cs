using System.Text.Json.Serialization;

namespace NetGo.Diagnostics;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, GenerationMode = JsonSourceGenerationMode.Default)]
[JsonSerializable(typeof(Sample))]
[JsonSerializable(typeof(TimelineSample))]
[JsonSerializable(typeof(AboutSample))]
internal sealed partial class SampleJson : JsonSerializerContext;
