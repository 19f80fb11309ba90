using Grpc.Core;

namespace GrpcGreeter;

/// <summary>What greeter.proto promises.</summary>
internal sealed class GreeterService(StreamCounter streams) : Greeter.GreeterBase
{
    private const int MaxNames = 100;
    private const int MaxInterval = 1000;
    private const int MaxBlocked = 5000;

    public override Task<Greeting> Greet(GreetRequest request, ServerCallContext context) => Task.FromResult(GreetingFor(request.Name));

    public override async Task KeepGreeting(KeepGreetingRequest request, IServerStreamWriter<Greeting> responses, ServerCallContext context)
    {
        Greeting greeting = GreetingFor(request.Name);
        if (request.IntervalMilliseconds is < 1 or > MaxInterval)
            throw Invalid($"The interval is 1 to {MaxInterval} ms.");
        using IDisposable open = streams.Open();
        using var timer = new PeriodicTimer(TimeSpan.FromMilliseconds(request.IntervalMilliseconds));
        do
            await responses.WriteAsync(greeting, context.CancellationToken);
        while (await timer.WaitForNextTickAsync(context.CancellationToken));
    }

    public override async Task<Greeting> GreetAll(IAsyncStreamReader<GreetRequest> requests, ServerCallContext context)
    {
        var names = new List<string>();
        await foreach (GreetRequest request in requests.ReadAllAsync(context.CancellationToken))
        {
            if (names.Count == MaxNames)
                throw new RpcException(new Status(StatusCode.ResourceExhausted, $"At most {MaxNames} are greeted at once."));
            names.Add(request.Name);
        }
        return GreetingFor(string.Join(", ", names));
    }

    public override async Task Converse(
        IAsyncStreamReader<GreetRequest> requests, IServerStreamWriter<Greeting> responses, ServerCallContext context)
    {
        await foreach (GreetRequest request in requests.ReadAllAsync(context.CancellationToken))
            await responses.WriteAsync(GreetingFor(request.Name), context.CancellationToken);
    }

    // Sleeps where it should wait: for what code does that knows no other way.
    public override Task<Greeting> GreetSlowly(GreetSlowlyRequest request, ServerCallContext context)
    {
        if (request.Milliseconds is < 0 or > MaxBlocked)
            throw Invalid($"At most {MaxBlocked} ms.");
        Thread.Sleep(request.Milliseconds);
        return Task.FromResult(GreetingFor(request.Name));
    }

    public override Task<StreamCount> CountStreams(CountStreamsRequest request, ServerCallContext context) =>
        Task.FromResult(new StreamCount { Open = streams.Count });

    private static Greeting GreetingFor(string name) =>
        name.Length > 0 ? new Greeting { Text = $"Hello, {name}!" } : throw Invalid("There is no name.");

    private static RpcException Invalid(string detail) => new(new Status(StatusCode.InvalidArgument, detail));
}
