using System.Runtime.CompilerServices;

namespace System.Threading;

/// <summary>What <c>lock</c> uses for an object of any other type: a <see cref="Lock"/> for each.</summary>
internal static class Monitor
{
    private static readonly ConditionalWeakTable<object, Lock> s_locks = [];

    public static void Enter(object o, ref bool taken)
    {
        s_locks.GetOrCreateValue(o).Enter();
        taken = true;
    }

    public static void Exit(object o) => s_locks.GetOrCreateValue(o).Exit();
}
