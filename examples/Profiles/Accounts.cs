using NetGo;

namespace Profiles;

/// <summary>Two accounts that are locked in an order that depends on the direction: two transfers wait for each other for ever.</summary>
internal sealed class Accounts
{
    public GoMutex Savings { get; } = new();

    public GoMutex Current { get; } = new();

    public static async Task TransferAsync(GoMutex from, GoMutex to)
    {
        await from.LockAsync();
        await Go.SleepAsync(TimeSpan.FromMilliseconds(100));
        await to.LockAsync(); // the dead-lock
        to.Unlock();
        from.Unlock();
    }
}
