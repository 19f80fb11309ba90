using System.Globalization;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR;

namespace SignalRChat;

/// <summary>Uses a running server by each of SignalR's transports, and says whether it does what it should.</summary>
internal static class TryClient
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(40);

    public static async Task<int> RunAsync(Uri server)
    {
        using var timeout = new CancellationTokenSource(s_limit);
        try
        {
            HttpTransportType[] transports = [HttpTransportType.WebSockets, HttpTransportType.ServerSentEvents, HttpTransportType.LongPolling];
            foreach (HttpTransportType transport in transports)
            {
                await TalkAsync(server, transport, timeout.Token);
                Console.WriteLine($"{transport}: what one says the other hears, and nobody else");
            }
            await ManyTalkAsync(server, timeout.Token);
            Console.WriteLine("ok");
            return 0;
        }
        catch (Exception e)
        {
            Console.WriteLine($"FAILED: {e}");
            return 1;
        }
    }

    private static async Task TalkAsync(Uri server, HttpTransportType transport, CancellationToken cancellationToken)
    {
        string room = $"room {Guid.NewGuid():N}", other = $"room {Guid.NewGuid():N}";
        await using Guest ada = await Guest.ConnectAsync(server, transport, cancellationToken);
        await using Guest elsewhere = await Guest.ConnectAsync(server, transport, cancellationToken);
        await RefusedAsync(() => ada.SayAsync("Is anybody there?", cancellationToken), "Join a room first.");
        await ada.JoinAsync(room, "Ada", cancellationToken);
        await ada.ExpectAsync($"Ada joined {room}", cancellationToken);
        await elsewhere.JoinAsync(other, "Eve", cancellationToken);
        await elsewhere.ExpectAsync($"Eve joined {other}", cancellationToken);
        await using (Guest alan = await Guest.ConnectAsync(server, transport, cancellationToken))
        {
            await alan.JoinAsync(room, "Alan", cancellationToken);
            foreach (Guest guest in (Guest[])[ada, alan])
                await guest.ExpectAsync($"Alan joined {room}", cancellationToken);
            foreach ((Guest speaker, string name) in ((Guest, string)[])[(ada, "Ada"), (alan, "Alan")])
            {
                string text = $"{name} says «{new string('x', 900)}»";
                await speaker.SayAsync(text, cancellationToken);
                foreach (Guest guest in (Guest[])[ada, alan])
                    await guest.ExpectAsync($"{name} in {room}: {text}", cancellationToken);
            }
            await RefusedAsync(() => alan.SayAsync(new string('x', 1001), cancellationToken), "A text has 1 to 1000 characters.");
        }
        await ada.ExpectAsync($"Alan left {room}", cancellationToken);
        // What Eve hears next is her own: she has heard nothing of the other room.
        await elsewhere.SayAsync("Nothing to be heard here.", cancellationToken);
        await elsewhere.ExpectAsync($"Eve in {other}: Nothing to be heard here.", cancellationToken);
    }

    /// <summary>Each hears everything, and what one has said in the order in which it was said.</summary>
    private static async Task ManyTalkAsync(Uri server, CancellationToken cancellationToken)
    {
        const int People = 20, Sentences = 50;
        string room = $"room {Guid.NewGuid():N}";
        Guest[] guests = await Task.WhenAll(Enumerable.Range(0, People).Select(_ => Guest.ConnectAsync(server, HttpTransportType.WebSockets, cancellationToken)));
        try
        {
            await Task.WhenAll(guests.Select((guest, i) => guest.JoinAsync(room, $"{i}", cancellationToken)));
            await Task.WhenAll(guests.Select(async guest =>
            {
                for (int i = 0; i < Sentences; i++)
                    await guest.SayAsync($"{i}", cancellationToken);
            }));
            await Task.WhenAll(guests.Select(guest => HearAllAsync(guest, room, People, Sentences, cancellationToken)));
            Console.WriteLine($"{People} have each heard {People * Sentences} sentences");
        }
        finally
        {
            foreach (Guest guest in guests)
                await guest.DisposeAsync();
        }
    }

    private static async Task HearAllAsync(Guest guest, string room, int people, int sentences, CancellationToken cancellationToken)
    {
        int[] next = new int[people];
        for (int heard = 0; heard < people * sentences;)
        {
            string told = await guest.HearAsync(cancellationToken);
            if (told.EndsWith($" joined {room}", StringComparison.Ordinal))
                continue;
            string[] parts = told.Split($" in {room}: ");
            int speaker = int.Parse(parts[0], CultureInfo.InvariantCulture);
            if (parts[1] != $"{next[speaker]}")
                throw new InvalidDataException($"{speaker} was to say {next[speaker]}, not {parts[1]}.");
            next[speaker]++;
            heard++;
        }
    }

    private static async Task RefusedAsync(Func<Task> call, string because)
    {
        try
        {
            await call();
        }
        catch (HubException e) when (e.Message.Contains(because, StringComparison.Ordinal))
        {
            return;
        }
        throw new InvalidDataException($"That was to be refused: {because}");
    }
}
