using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Resp;

/// <summary>A client's connection: reads commands, as many as have come, and answers them in one go.</summary>
internal sealed class RespHandler(CommandTable commands, RespLimits limits) : ConnectionHandler
{
    /// <summary>A client that pipelines without reading gets no more than this made for it ahead.</summary>
    private const int MaxUnsent = 64 * 1024;

    public override async Task OnConnectedAsync(ConnectionContext connection)
    {
        CancellationToken stopping = connection.Features.Get<IConnectionLifetimeNotificationFeature>()!.ConnectionClosedRequested;
        PipeReader input = connection.Transport.Input;
        PipeWriter output = connection.Transport.Output;
        var parser = new RespParser(limits);
        var writer = new RespWriter(output);
        var session = new RespSession(writer);
        while (!session.HasEnded)
        {
            ReadResult read = await input.ReadAsync(stopping);
            ReadOnlySequence<byte> rest = read.Buffer;
            long flushed = writer.Written;
            while (TryExecute(ref rest, parser, session))
            {
                if (writer.Written - flushed < MaxUnsent)
                    continue;
                flushed = writer.Written;
                if ((await output.FlushAsync(stopping)).IsCompleted)
                    return;
            }
            parser.Release();
            input.AdvanceTo(rest.Start, rest.End);
            if ((await output.FlushAsync(stopping)).IsCompleted || read.IsCompleted)
                return;
        }
    }

    private bool TryExecute(ref ReadOnlySequence<byte> rest, RespParser parser, RespSession session)
    {
        try
        {
            if (session.HasEnded || !parser.TryParse(ref rest))
                return false;
            commands.Execute(parser, session);
            return true;
        }
        catch (RespProtocolException e)
        {
            session.Reply.Error($"ERR Protocol error: {e.Message}");
            session.HasEnded = true;
            rest = rest.Slice(rest.End);
            return false;
        }
    }
}
