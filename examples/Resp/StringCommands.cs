using System.Buffers.Text;

namespace Resp;

/// <summary>SET, GET and what else is done to a value.</summary>
internal sealed class StringCommands(Store store)
{
    private const int MaxLength = 16 * 1024 * 1024; // of what APPEND makes

    public void AddTo(Dictionary<string, Command> commands)
    {
        commands["GET"] = new("get", 2, (a, s) => s.Reply.Bulk(store.Get(a[1])));
        commands["SET"] = new("set", -3, Set);
        commands["MGET"] = new("mget", -2, MultiGet);
        commands["MSET"] = new("mset", -3, MultiSet);
        commands["STRLEN"] = new("strlen", 2, (a, s) => s.Reply.Integer(store.Get(a[1])?.Length ?? 0));
        commands["APPEND"] = new("append", 3, Append);
        commands["INCR"] = new("incr", 2, (a, s) => Add(a, s, 1));
        commands["DECR"] = new("decr", 2, (a, s) => Add(a, s, -1));
        commands["INCRBY"] = new("incrby", 3, (a, s) => Add(a, s, ArgumentReading.ReadInteger(a[2])));
        commands["DECRBY"] = new("decrby", 3, (a, s) => Add(a, s, Negated(ArgumentReading.ReadInteger(a[2]))));
    }

    // SET key value [NX | XX] [EX seconds | PX milliseconds]
    private void Set(RespParser a, RespSession s)
    {
        var when = SetCondition.Always;
        TimeSpan? life = null;
        for (int i = 3; i < a.Count; i++)
        {
            if (when == SetCondition.Always && ArgumentReading.Is(a[i], "NX"u8))
                when = SetCondition.IfAbsent;
            else if (when == SetCondition.Always && ArgumentReading.Is(a[i], "XX"u8))
                when = SetCondition.IfPresent;
            else if (life is null && i + 1 < a.Count && ArgumentReading.Is(a[i], "EX"u8))
                life = Lifetime.Of(a[++i], TimeSpan.TicksPerSecond, "set", mayBePast: false);
            else if (life is null && i + 1 < a.Count && ArgumentReading.Is(a[i], "PX"u8))
                life = Lifetime.Of(a[++i], TimeSpan.TicksPerMillisecond, "set", mayBePast: false);
            else
                throw RespCommandException.Syntax();
        }
        if (store.Set(a[1], a[2], when, life))
            s.Reply.Ok();
        else
            s.Reply.Null();
    }

    private void MultiGet(RespParser a, RespSession s)
    {
        using Store.Hold hold = store.HoldKeys(a, 1, 1);
        s.Reply.Array(a.Count - 1);
        for (int i = 1; i < a.Count; i++)
            s.Reply.Bulk(store.Get(a[i]));
    }

    private void MultiSet(RespParser a, RespSession s)
    {
        if (a.Count % 2 == 0)
            throw RespCommandException.WrongCount("mset");
        using Store.Hold hold = store.HoldKeys(a, 1, 2);
        for (int i = 1; i < a.Count; i += 2)
            store.Set(a[i], a[i + 1], SetCondition.Always, null);
        s.Reply.Ok();
    }

    private void Append(RespParser a, RespSession s)
    {
        using Store.Hold hold = store.HoldKeys(a, 1, int.MaxValue);
        byte[] old = store.Get(a[1]) ?? [];
        if (old.Length + a[2].Length > MaxLength)
            throw new RespCommandException("ERR string exceeds maximum allowed size");
        store.Replace(a[1], [.. old, .. a[2]]);
        s.Reply.Integer(old.Length + a[2].Length);
    }

    private static long Negated(long value) => value != long.MinValue ? -value : throw new RespCommandException("ERR decrement would overflow");

    private void Add(RespParser a, RespSession s, long change)
    {
        using Store.Hold hold = store.HoldKeys(a, 1, int.MaxValue);
        long old = store.Get(a[1]) is { } text ? ArgumentReading.ReadInteger(text) : 0;
        long sum = unchecked(old + change);
        if (change > 0 ? sum < old : sum > old)
            throw new RespCommandException("ERR increment or decrement would overflow");
        Span<byte> formatted = stackalloc byte[20];
        Utf8Formatter.TryFormat(sum, formatted, out int length);
        store.Replace(a[1], formatted[..length].ToArray());
        s.Reply.Integer(sum);
    }
}
