using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Echo;

/// <summary>Sends each frame back. Frames that come together go back together.</summary>
internal sealed class EchoHandler : ConnectionHandler
{
    public override async Task OnConnectedAsync(ConnectionContext connection)
    {
        // The server asks for the end when it stops: a frame that has come is answered, and the wait for the next one ends.
        CancellationToken stopping = connection.Features.Get<IConnectionLifetimeNotificationFeature>()!.ConnectionClosedRequested;
        PipeReader input = connection.Transport.Input;
        PipeWriter output = connection.Transport.Output;
        while (true)
        {
            ReadResult read = await input.ReadAsync(stopping);
            ReadOnlySequence<byte> rest = read.Buffer;
            try
            {
                while (Frame.TryRead(ref rest, out ReadOnlySequence<byte> payload))
                    Frame.Write(output, payload);
            }
            catch (InvalidDataException e)
            {
                connection.Abort(new ConnectionAbortedException(e.Message));
                return;
            }
            input.AdvanceTo(rest.Start, rest.End);
            FlushResult flush = await output.FlushAsync();
            if (read.IsCompleted || flush.IsCompleted)
                return;
        }
    }
}
