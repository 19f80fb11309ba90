namespace NetGo.LoadTests;

internal enum ScenarioKind
{
    /// <summary>Requests as fast as they are answered, and requests at a fixed rate.</summary>
    Load,

    /// <summary>Memory of connections on which nothing happens.</summary>
    Idle,

    /// <summary>A fixed rate, without and with requests among it whose handler blocks its thread.</summary>
    Blockers,

    /// <summary>A fixed rate, while many others send their heads slowly.</summary>
    SlowClients,

    /// <summary>Messages that come back.</summary>
    WebSocket,
}

/// <summary>What is asked of the targets.</summary>
/// <param name="Name">Of --scenarios.</param>
/// <param name="Title">In the report.</param>
/// <param name="Description">In the report: a sentence.</param>
/// <param name="Targets">The first words of the names of those that can.</param>
internal sealed record Scenario(string Name, string Title, string Description, ScenarioKind Kind, IReadOnlyList<string> Targets)
{
    private static readonly string[] s_all = ["floor", "netgo", "aspnet", "go", "nginx", "h2o", "haproxy"];
    private static readonly string[] s_routing = ["netgo", "aspnet", "go", "nginx", "haproxy"];
    private static readonly string[] s_tls = ["netgo", "aspnet", "go", "nginx", "h2o", "haproxy"];
    private static readonly string[] s_programs = ["netgo", "aspnet", "go"];

    public string Path { get; init; } = "/plaintext";

    public string Protocol { get; init; } = "http";

    public int Connections { get; init; } = 64;

    public int Pipelined { get; init; } = 1;

    /// <summary>Octets that are posted, and come back.</summary>
    public int Content { get; init; }

    public bool Closes { get; init; }

    /// <summary>Whether a client for fixed rates can do it. Of several requests that are sent at once it is not known when each was due.</summary>
    public bool HasFixedRate => Pipelined == 1 && Kind != ScenarioKind.Idle;

    /// <summary>What is counted.</summary>
    public string Unit => Kind == ScenarioKind.WebSocket ? "message" : "request";

    public static IReadOnlyList<Scenario> All { get; } =
    [
        new("plaintext", "Plaintext", "GET /plaintext over 64 kept connections.", ScenarioKind.Load, s_all),
        new("pipelined", "Pipelined", "GET /plaintext, 16 at a time, over 64 kept connections.", ScenarioKind.Load, s_all) { Pipelined = 16 },
        new("json", "JSON", "GET /json: an object that is serialized for each request (floor, nginx, h2o and haproxy send fixed octets).", ScenarioKind.Load, s_all) { Path = "/json" },
        new("routed", "Routed", "GET /users/{id}, which gives the id back.", ScenarioKind.Load, s_routing) { Path = "/users/4711" },
        new("echo-1k", "1 KiB both ways", "POST /echo with 1 KiB, which comes back.", ScenarioKind.Load, s_programs) { Path = "/echo", Content = 1024 },
        new("echo-1m", "1 MiB both ways", "POST /echo with 1 MiB, which comes back, over 16 kept connections.", ScenarioKind.Load, s_programs)
        {
            Path = "/echo", Content = 1024 * 1024, Connections = 16,
        },
        new("connections", "A connection per request", "GET /plaintext with Connection: close, 64 at a time.", ScenarioKind.Load, s_all) { Closes = true },
        new("c1024", "1,024 connections", "GET /plaintext over 1,024 kept connections.", ScenarioKind.Load, s_all) { Connections = 1024 },
        new("c10000", "10,000 connections", "GET /plaintext over 10,000 kept connections.", ScenarioKind.Load, s_all) { Connections = 10_000 },
        new("tls", "TLS", "GET /plaintext over 64 kept connections with TLS.", ScenarioKind.Load, s_tls) { Protocol = "https" },
        new("websocket", "WebSocket", "Messages of 64 octets that come back, on 64 connections, one at a time on each.", ScenarioKind.WebSocket, s_programs) { Path = "/ws" },
        new("idle", "Idle connections", "10,000 kept connections on which nothing happens after one request.", ScenarioKind.Idle, s_all) { Connections = 10_000 },
        new("blockers", "Handlers that block", "GET /plaintext at 1,500 requests/s, without and with 1 % of them going to a handler that holds its thread for 50 ms.", ScenarioKind.Blockers, s_programs),
        new("slow", "Slow clients", "GET /plaintext at 200 requests/s, without and with 1,000 others that send a few octets of their heads every 5 s.", ScenarioKind.SlowClients, s_all),
    ];

    public bool Suits(string target) => Targets.Contains(target.Split('-')[0]);

    /// <summary>The program that plays the target's part: floor has one answer, so it is another one for JSON.</summary>
    public string ProgramOf(string target) => target == "floor" && Path == "/json" ? "floor-json" : target;
}
