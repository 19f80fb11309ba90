using System.Text;

namespace Resp;

/// <summary>PING, HELLO, INFO and what else a client asks of the server.</summary>
internal sealed class ServerCommands(Store store, Dictionary<string, Command> commands)
{
    private static readonly string s_version = typeof(ServerCommands).Assembly.GetName().Version!.ToString(3);

    // What redis-benchmark asks for.
    private static readonly KeyValuePair<string, string>[] s_settings = [new("save", ""), new("appendonly", "no")];

    private readonly long _started = Environment.TickCount64;

    public void AddTo(Dictionary<string, Command> commands)
    {
        commands["PING"] = new("ping", -1, Ping);
        commands["ECHO"] = new("echo", 2, (a, s) => s.Reply.Bulk(a[1]));
        commands["QUIT"] = new("quit", -1, Quit);
        commands["SELECT"] = new("select", 2, Select);
        commands["HELLO"] = new("hello", -1, Hello);
        commands["COMMAND"] = new("command", -1, ListCommands);
        commands["CONFIG"] = new("config", -2, Config);
        commands["INFO"] = new("info", -1, Info);
    }

    private static void Ping(RespParser a, RespSession s)
    {
        if (a.Count > 2)
            throw RespCommandException.WrongCount("ping");
        if (a.Count == 2)
            s.Reply.Bulk(a[1]);
        else
            s.Reply.Simple("PONG"u8);
    }

    private static void Quit(RespParser a, RespSession s)
    {
        s.Reply.Ok();
        s.HasEnded = true;
    }

    private static void Select(RespParser a, RespSession s)
    {
        if (ArgumentReading.ReadInteger(a[1]) != 0)
            throw new RespCommandException("ERR DB index is out of range");
        s.Reply.Ok();
    }

    // HELLO [version [SETNAME name]]: there are no users, so AUTH is refused.
    private static void Hello(RespParser a, RespSession s)
    {
        if (a.Count > 1)
        {
            if (!ArgumentReading.TryReadInteger(a[1], out long version))
                throw new RespCommandException("ERR Protocol version is not an integer or out of range");
            if (version is not (2 or 3))
                throw new RespCommandException("NOPROTO unsupported protocol version");
            if (a.Count > 2 && !(a.Count == 4 && ArgumentReading.Is(a[2], "SETNAME"u8)))
                throw new RespCommandException($"ERR Syntax error in HELLO option '{Encoding.UTF8.GetString(a[2])}'");
            s.Reply.Version = (int)version;
        }
        s.Reply.Map(7);
        s.Reply.Bulk("server"u8);
        s.Reply.Bulk("netgo-resp"u8);
        s.Reply.Bulk("version"u8);
        s.Reply.Bulk(Encoding.ASCII.GetBytes(s_version));
        s.Reply.Bulk("proto"u8);
        s.Reply.Integer(s.Reply.Version);
        s.Reply.Bulk("id"u8);
        s.Reply.Integer(s.Id);
        s.Reply.Bulk("mode"u8);
        s.Reply.Bulk("standalone"u8);
        s.Reply.Bulk("role"u8);
        s.Reply.Bulk("master"u8);
        s.Reply.Bulk("modules"u8);
        s.Reply.Array(0);
    }

    // What a client gets to know of commands is how many there are: it does without.
    private void ListCommands(RespParser a, RespSession s)
    {
        if (a.Count == 2 && ArgumentReading.Is(a[1], "COUNT"u8))
            s.Reply.Integer(commands.Count);
        else
            s.Reply.Array(0);
    }

    private static void Config(RespParser a, RespSession s)
    {
        if (!ArgumentReading.Is(a[1], "GET"u8))
            throw new RespCommandException($"ERR unknown subcommand '{Encoding.UTF8.GetString(a[1])}'.");
        if (a.Count < 3)
            throw RespCommandException.WrongCount("config|get");
        var found = new List<KeyValuePair<string, string>>();
        foreach (KeyValuePair<string, string> setting in s_settings)
        {
            bool isAsked = false;
            for (int i = 2; i < a.Count; i++)
                isAsked |= GlobPattern.IsMatch(a[i], Encoding.ASCII.GetBytes(setting.Key));
            if (isAsked)
                found.Add(setting);
        }
        s.Reply.Map(found.Count);
        foreach ((string name, string value) in found)
        {
            s.Reply.Bulk(Encoding.ASCII.GetBytes(name));
            s.Reply.Bulk(Encoding.ASCII.GetBytes(value));
        }
    }

    private void Info(RespParser a, RespSession s) => s.Reply.Bulk(Encoding.ASCII.GetBytes(
        $"# Server\r\nserver_name:netgo-resp\r\nserver_version:{s_version}\r\nprocess_id:{Environment.ProcessId}\r\n" +
        $"uptime_in_seconds:{(Environment.TickCount64 - _started) / 1000}\r\n\r\n# Keyspace\r\ndb0:keys={store.Count}\r\n"));
}
