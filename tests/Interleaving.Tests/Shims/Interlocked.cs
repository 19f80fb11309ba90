using System.Numerics;
using System.Runtime.CompilerServices;
using NetGo.Interleaving;

namespace System.Threading;

// In this namespace so that the sources under test bind to it: a type in source is preferred to one in a reference.
internal static class Interlocked
{
    public static T CompareExchange<T>(
        ref T location, T value, T comparand, [CallerArgumentExpression(nameof(location))] string name = "", [CallerMemberName] string caller = "")
    {
        T old = Memory.BeginUpdate(ref location, caller);
        bool same = typeof(T).IsValueType ? EqualityComparer<T>.Default.Equals(old, comparand) : ReferenceEquals(old, comparand);
        Memory.EndUpdate(ref location, old, value, same, new Place("CompareExchange", name, caller), Weakness.CompareExchangeIsNotAtomic);
        return old;
    }

    public static T Exchange<T>(
        ref T location, T value, [CallerArgumentExpression(nameof(location))] string name = "", [CallerMemberName] string caller = "")
    {
        T old = Memory.BeginUpdate(ref location, caller);
        Memory.EndUpdate(ref location, old, value, true, new Place("Exchange", name, caller), Weakness.UpdatesAreNotAtomic);
        return old;
    }

    public static T Add<T>(
        ref T location, T value, [CallerArgumentExpression(nameof(location))] string name = "", [CallerMemberName] string caller = "")
        where T : IBinaryInteger<T>
    {
        T old = Memory.BeginUpdate(ref location, caller);
        Memory.EndUpdate(ref location, old, old + value, true, new Place("Add", name, caller), Weakness.UpdatesAreNotAtomic);
        return old + value;
    }

    public static T Increment<T>(
        ref T location, [CallerArgumentExpression(nameof(location))] string name = "", [CallerMemberName] string caller = "")
        where T : IBinaryInteger<T> => Add(ref location, T.One, name, caller);

    public static T Decrement<T>(
        ref T location, [CallerArgumentExpression(nameof(location))] string name = "", [CallerMemberName] string caller = "")
        where T : IBinaryInteger<T> => Add(ref location, -T.One, name, caller);

    public static T Or<T>(
        ref T location, T value, [CallerArgumentExpression(nameof(location))] string name = "", [CallerMemberName] string caller = "")
        where T : IBinaryInteger<T>
    {
        T old = Memory.BeginUpdate(ref location, caller);
        Memory.EndUpdate(ref location, old, old | value, true, new Place("Or", name, caller), Weakness.UpdatesAreNotAtomic);
        return old;
    }

    public static T And<T>(
        ref T location, T value, [CallerArgumentExpression(nameof(location))] string name = "", [CallerMemberName] string caller = "")
        where T : IBinaryInteger<T>
    {
        T old = Memory.BeginUpdate(ref location, caller);
        Memory.EndUpdate(ref location, old, old & value, true, new Place("And", name, caller), Weakness.UpdatesAreNotAtomic);
        return old;
    }

    public static void MemoryBarrier([CallerMemberName] string caller = "") => Memory.Fence(caller);

    public static void MemoryBarrierProcessWide() => Memory.ProcessWideFence();
}
