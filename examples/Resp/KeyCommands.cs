namespace Resp;

/// <summary>DEL, EXPIRE and what else is done to keys, whatever their values are.</summary>
internal sealed class KeyCommands(Store store)
{
    public void AddTo(Dictionary<string, Command> commands)
    {
        commands["DEL"] = new("del", -2, (a, s) => s.Reply.Integer(Count(a, store.Remove)));
        commands["EXISTS"] = new("exists", -2, (a, s) => s.Reply.Integer(Count(a, key => store.Get(key) is not null)));
        commands["EXPIRE"] = new("expire", 3, (a, s) => Expire(a, s, TimeSpan.TicksPerSecond, "expire"));
        commands["PEXPIRE"] = new("pexpire", 3, (a, s) => Expire(a, s, TimeSpan.TicksPerMillisecond, "pexpire"));
        commands["PERSIST"] = new("persist", 2, (a, s) => s.Reply.Integer(store.Expire(a[1], null) ? 1 : 0));
        commands["TTL"] = new("ttl", 2, (a, s) => TimeToLive(a, s, TimeSpan.TicksPerSecond));
        commands["PTTL"] = new("pttl", 2, (a, s) => TimeToLive(a, s, TimeSpan.TicksPerMillisecond));
        commands["KEYS"] = new("keys", 2, Keys);
        commands["DBSIZE"] = new("dbsize", 1, (_, s) => s.Reply.Integer(store.Count));
        commands["FLUSHDB"] = new("flushdb", -1, Flush);
        commands["FLUSHALL"] = new("flushall", -1, Flush);
    }

    private delegate bool OfKey(ReadOnlySpan<byte> key);

    private int Count(RespParser a, OfKey isCounted)
    {
        using Store.Hold hold = store.HoldKeys(a, 1, 1);
        int count = 0;
        for (int i = 1; i < a.Count; i++)
            count += isCounted(a[i]) ? 1 : 0;
        return count;
    }

    private void Expire(RespParser a, RespSession s, long ticksPerUnit, string command) =>
        s.Reply.Integer(store.Expire(a[1], Lifetime.Of(a[2], ticksPerUnit, command, mayBePast: true)) ? 1 : 0);

    private void TimeToLive(RespParser a, RespSession s, long ticksPerUnit)
    {
        if (!store.TryGetLifetime(a[1], out TimeSpan? left))
            s.Reply.Integer(-2);
        else if (left is null)
            s.Reply.Integer(-1);
        else
            s.Reply.Integer((left.Value.Ticks + (ticksPerUnit / 2)) / ticksPerUnit); // rounded, as in Redis
    }

    private void Keys(RespParser a, RespSession s)
    {
        List<byte[]> keys = store.Keys(a[1]);
        s.Reply.Array(keys.Count);
        foreach (byte[] key in keys)
            s.Reply.Bulk(key);
    }

    private void Flush(RespParser a, RespSession s)
    {
        if (a.Count > 2 || (a.Count == 2 && !ArgumentReading.Is(a[1], "ASYNC"u8) && !ArgumentReading.Is(a[1], "SYNC"u8)))
            throw RespCommandException.Syntax();
        store.Clear();
        s.Reply.Ok();
    }
}
