using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using Microsoft.AspNetCore.Connections;
using NetGo.Connections;

namespace Echo;

/// <summary>Uses a running server, and says whether it does what it should.</summary>
internal static class TryClient
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(20);
    private static readonly int[] s_sizes = [0, 1, 5, 70_000, Frame.MaxLength];

    public static async Task<int> RunAsync(EndPoint server)
    {
        using var timeout = new CancellationTokenSource(s_limit);
        try
        {
            int connected = 0;
            Client client = new ClientBuilder()
                .Use(next => async connection =>
                {
                    connected++;
                    await next(connection);
                })
                .Build();
            await EchoesAsync(client, server, timeout.Token);
            await RefusesAsync(client, server, timeout.Token);
            Console.WriteLine($"ok, over {connected} connections");
            return 0;
        }
        catch (Exception e)
        {
            Console.WriteLine($"FAILED: {e}");
            return 1;
        }
    }

    // All frames are on their way before the first is read.
    private static async Task EchoesAsync(Client client, EndPoint server, CancellationToken cancellationToken)
    {
        await using ConnectionContext connection = await client.ConnectAsync(server, cancellationToken);
        byte[][] sent = Array.ConvertAll(s_sizes, RandomBytes);
        Task sending = SendAsync(connection.Transport.Output, sent, cancellationToken);
        foreach (byte[] payload in sent)
        {
            if (await ReceiveAsync(connection.Transport.Input, cancellationToken) is not { } received || !received.AsSpan().SequenceEqual(payload))
                throw new InvalidDataException($"{payload.Length} bytes did not come back as they were.");
        }
        await sending;
    }

    private static async Task RefusesAsync(Client client, EndPoint server, CancellationToken cancellationToken)
    {
        await using ConnectionContext connection = await client.ConnectAsync(server, cancellationToken);
        await SendAsync(connection.Transport.Output, [new byte[Frame.MaxLength + 1]], cancellationToken);
        try
        {
            if (await ReceiveAsync(connection.Transport.Input, cancellationToken) is not null)
                throw new InvalidDataException("A frame that is too long was not refused.");
        }
        catch (ConnectionResetException)
        {
            // Aborted: that is how it refuses.
        }
    }

    private static byte[] RandomBytes(int length)
    {
        byte[] bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }

    private static async Task SendAsync(PipeWriter output, byte[][] payloads, CancellationToken cancellationToken)
    {
        foreach (byte[] payload in payloads)
        {
            Frame.Write(output, new ReadOnlySequence<byte>(payload));
            await output.FlushAsync(cancellationToken);
        }
    }

    /// <summary>Null at the end of the stream.</summary>
    private static async Task<byte[]?> ReceiveAsync(PipeReader input, CancellationToken cancellationToken)
    {
        while (true)
        {
            ReadResult read = await input.ReadAsync(cancellationToken);
            ReadOnlySequence<byte> rest = read.Buffer;
            byte[]? payload = Frame.TryRead(ref rest, out ReadOnlySequence<byte> frame) ? frame.ToArray() : null;
            input.AdvanceTo(rest.Start, payload is null ? rest.End : rest.Start);
            if (payload is not null || read.IsCompleted)
                return payload;
        }
    }
}
