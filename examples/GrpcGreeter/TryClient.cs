using Grpc.Core;
using Grpc.Net.Client;

namespace GrpcGreeter;

/// <summary>Calls a running server in all ways, and says whether it does what it should.</summary>
internal sealed class TryClient(Greeter.GreeterClient greeter, CancellationToken cancellationToken)
{
    private const int ParallelCalls = 100;
    private const int BlockingCalls = 32;
    private const int BlockedMilliseconds = 3000;

    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(40);
    private static readonly TimeSpan s_pollInterval = TimeSpan.FromMilliseconds(10);

    public static async Task<int> RunAsync(Uri server)
    {
        using var timeout = new CancellationTokenSource(s_limit);
        using GrpcChannel channel = GrpcChannel.ForAddress(server);
        var client = new TryClient(new Greeter.GreeterClient(channel), timeout.Token);
        (string Name, Func<Task> Check)[] checks =
        [
            ("unary", client.GreetsAsync),
            ("an error has its status", client.RefusesAsync),
            ("a message of 3 MB, each way", client.GreetsLongNamesAsync),
            ("server streaming, until it is cancelled", client.KeepsGreetingUntilCancelledAsync),
            ("server streaming, until its deadline", client.KeepsGreetingUntilTheDeadlineAsync),
            ("client streaming", client.GreetsAllAsync),
            ("both ways", client.ConversesAsync),
            ($"{ParallelCalls} calls at once", client.GreetsManyAtOnceAsync),
            ($"{ParallelCalls} calls while {BlockingCalls} block their threads", client.GreetsWhileOthersBlockAsync),
        ];
        foreach ((string name, Func<Task> check) in checks)
        {
            try
            {
                await check();
                Console.WriteLine(name);
            }
            catch (Exception e)
            {
                Console.WriteLine($"FAILED: {name}: {e}");
                return 1;
            }
        }
        Console.WriteLine("ok");
        return 0;
    }

    private async Task GreetsAsync()
    {
        Greeting greeting = await greeter.GreetAsync(new GreetRequest { Name = "gopher" }, cancellationToken: cancellationToken);
        Expect("Hello, gopher!", greeting.Text);
    }

    private async Task RefusesAsync()
    {
        RpcException e = await FailureOfAsync(() => greeter.GreetAsync(new GreetRequest(), cancellationToken: cancellationToken).ResponseAsync);
        Expect(new Status(StatusCode.InvalidArgument, "There is no name.").ToString(), new Status(e.StatusCode, e.Status.Detail).ToString());
    }

    // Much longer than HTTP/2's windows, and shorter than the 4 MB that gRPC allows.
    private async Task GreetsLongNamesAsync()
    {
        string name = new('n', 3_000_000);
        Greeting greeting = await greeter.GreetAsync(new GreetRequest { Name = name }, cancellationToken: cancellationToken);
        Expect($"Hello, {name}!", greeting.Text);
    }

    private async Task KeepsGreetingUntilCancelledAsync()
    {
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        using AsyncServerStreamingCall<Greeting> call = greeter.KeepGreeting(
            new KeepGreetingRequest { Name = "gopher", IntervalMilliseconds = 1 }, cancellationToken: cancel.Token);
        for (int i = 0; i < 50; i++)
            Expect("Hello, gopher!", await call.ResponseStream.MoveNext(cancellationToken) ? call.ResponseStream.Current.Text : "the end");
        Expect(1, await CountStreamsAsync());
        cancel.Cancel();
        RpcException e = await FailureOfAsync(async () =>
        {
            while (await call.ResponseStream.MoveNext(cancellationToken))
            {
            }
        });
        Expect(StatusCode.Cancelled, e.StatusCode);
        await NoStreamIsOpenAsync();
    }

    private async Task KeepsGreetingUntilTheDeadlineAsync()
    {
        using AsyncServerStreamingCall<Greeting> call = greeter.KeepGreeting(
            new KeepGreetingRequest { Name = "gopher", IntervalMilliseconds = 20 }, deadline: DateTime.UtcNow.AddMilliseconds(500),
            cancellationToken: cancellationToken);
        int greetings = 0;
        RpcException e = await FailureOfAsync(async () =>
        {
            while (await call.ResponseStream.MoveNext(cancellationToken))
                greetings++;
        });
        Expect(StatusCode.DeadlineExceeded, e.StatusCode);
        Expect(true, greetings > 0);
        await NoStreamIsOpenAsync();
    }

    // The server learns of a client's end as of anything else: after a while.
    private async Task NoStreamIsOpenAsync()
    {
        while (await CountStreamsAsync() > 0)
            await Task.Delay(s_pollInterval, cancellationToken);
    }

    private async Task<int> CountStreamsAsync() =>
        (await greeter.CountStreamsAsync(new CountStreamsRequest(), cancellationToken: cancellationToken)).Open;

    private async Task GreetsAllAsync()
    {
        using AsyncClientStreamingCall<GreetRequest, Greeting> call = greeter.GreetAll(cancellationToken: cancellationToken);
        foreach (string name in (string[])["Ada", "Alan", "Grace"])
            await call.RequestStream.WriteAsync(new GreetRequest { Name = name }, cancellationToken);
        await call.RequestStream.CompleteAsync();
        Expect("Hello, Ada, Alan, Grace!", (await call).Text);
    }

    // Each name is sent only when the one before has been answered; at the end the server ends too.
    private async Task ConversesAsync()
    {
        using AsyncDuplexStreamingCall<GreetRequest, Greeting> call = greeter.Converse(cancellationToken: cancellationToken);
        for (int i = 0; i < 100; i++)
        {
            await call.RequestStream.WriteAsync(new GreetRequest { Name = $"{i}" }, cancellationToken);
            Expect($"Hello, {i}!", await call.ResponseStream.MoveNext(cancellationToken) ? call.ResponseStream.Current.Text : "the end");
        }
        await call.RequestStream.CompleteAsync();
        Expect(false, await call.ResponseStream.MoveNext(cancellationToken));
    }

    private Task GreetsManyAtOnceAsync() => Task.WhenAll(Enumerable.Range(0, ParallelCalls).Select(async i =>
    {
        Greeting greeting = await greeter.GreetAsync(new GreetRequest { Name = $"{i}" }, cancellationToken: cancellationToken);
        Expect($"Hello, {i}!", greeting.Text);
    }));

    // Many more than there are threads in a pool to begin with; and all are on one connection.
    private async Task GreetsWhileOthersBlockAsync()
    {
        Task<Greeting>[] blocking = [.. Enumerable.Range(0, BlockingCalls).Select(_ => greeter.GreetSlowlyAsync(
            new GreetSlowlyRequest { Name = "sloth", Milliseconds = BlockedMilliseconds }, cancellationToken: cancellationToken).ResponseAsync)];
        await GreetsManyAtOnceAsync();
        Expect(false, Array.Exists(blocking, static call => call.IsCompleted));
        foreach (Greeting greeting in await Task.WhenAll(blocking))
            Expect("Hello, sloth!", greeting.Text);
    }

    private static async Task<RpcException> FailureOfAsync(Func<Task> call)
    {
        try
        {
            await call();
        }
        catch (RpcException e)
        {
            return e;
        }
        throw new InvalidDataException("The call was to fail.");
    }

    private static void Expect<T>(T expected, T actual)
    {
        if (!EqualityComparer<T>.Default.Equals(expected, actual))
            throw new InvalidDataException($"Expected: {Shortened(expected)}; got: {Shortened(actual)}.");
    }

    private static string Shortened<T>(T value) => $"{value}" is { Length: > 100 } text ? $"{text.AsSpan(0, 100)}…" : $"{value}";
}
