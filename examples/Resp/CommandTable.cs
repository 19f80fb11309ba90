using System.Collections.Frozen;
using System.Text;

namespace Resp;

/// <summary>The commands by name.</summary>
internal sealed class CommandTable
{
    private const int MaxNameLength = 32;
    private const int MaxShown = 128; // of a command that is not known, in characters

    private readonly FrozenDictionary<string, Command> _commands;
    private readonly FrozenDictionary<string, Command>.AlternateLookup<ReadOnlySpan<char>> _byName;

    public CommandTable(Store store)
    {
        var commands = new Dictionary<string, Command>();
        new StringCommands(store).AddTo(commands);
        new KeyCommands(store).AddTo(commands);
        new ServerCommands(store, commands).AddTo(commands);
        _commands = commands.ToFrozenDictionary();
        _byName = _commands.GetAlternateLookup<ReadOnlySpan<char>>();
    }

    /// <summary>Does a command, and replies.</summary>
    public void Execute(RespParser arguments, RespSession session)
    {
        Span<char> buffer = stackalloc char[MaxNameLength];
        ReadOnlySpan<byte> given = arguments[0];
        if (given.Length > MaxNameLength || Ascii.ToUpper(given, buffer, out int length) != System.Buffers.OperationStatus.Done
            || !_byName.TryGetValue(buffer[..length], out Command? command))
        {
            ReplyUnknown(arguments, session);
            return;
        }
        try
        {
            if (!command.Takes(arguments.Count))
                throw RespCommandException.WrongCount(command.Name);
            command.Run(arguments, session);
        }
        catch (RespCommandException e)
        {
            session.Reply.Error(e.Message);
        }
    }

    private static void ReplyUnknown(RespParser arguments, RespSession session)
    {
        // A browser can be made to send such requests to this port by any page, with commands as their content.
        if (arguments[0].SequenceEqual("POST"u8) || arguments[0].SequenceEqual("Host:"u8))
        {
            session.HasEnded = true;
            return;
        }
        var message = new StringBuilder($"ERR unknown command '{Shown(arguments[0])}', with args beginning with: ");
        for (int i = 1; i < arguments.Count && message.Length < MaxShown; i++)
            message.Append(null, $"'{Shown(arguments[i])}' ");
        session.Reply.Error(message.ToString());

        static string Shown(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes[..Math.Min(bytes.Length, MaxShown)]);
    }
}
