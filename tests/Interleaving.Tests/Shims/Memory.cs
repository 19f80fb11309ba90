using System.Runtime.CompilerServices;

namespace NetGo.Interleaving;

/// <summary>An operation as a trace shows it.</summary>
internal readonly record struct Place(string Operation, string Location, string Caller)
{
    public override string ToString() => $"{Caller}: {Operation}({Location})";
}

/// <summary>What the shims do to memory. Outside of a run's threads the operations are plain.</summary>
internal static class Memory
{
    public static T Read<T>(ref readonly T location, Place place)
    {
        if (VirtualThread.Current is not { } self)
            return location;
        self.Run.Point(self);
        T value = IsWeak(self, Weakness.ReadsSeeNothing, place.Caller) ? default! : location;
        if (self.Run.Traces)
            self.Run.Trace(self, $"{place} is {value?.ToString() ?? "null"}");
        self.Run.PointBeforePlainCode(self);
        return value;
    }

    public static void Write<T>(ref T location, T value, Place place)
    {
        if (VirtualThread.Current is not { } self)
        {
            location = value;
            return;
        }
        self.Run.Point(self);
        Store(self, ref location, value, place);
        self.Run.PointBeforePlainCode(self);
    }

    /// <summary>The first half of an interlocked operation.</summary>
    public static T BeginUpdate<T>(ref T location, string caller)
    {
        if (VirtualThread.Current is not { } self)
            return location;
        self.Run.Point(self);
        if (!IsWeak(self, Weakness.InterlockedIsNoFence, caller))
            self.Run.Drain(self);
        return location;
    }

    /// <summary>The second half of an interlocked operation.</summary>
    /// <param name="location">The same as in the first.</param>
    /// <param name="old">What the first half returned.</param>
    /// <param name="value">What it becomes.</param>
    /// <param name="stores">False for a comparison that failed.</param>
    /// <param name="place">For the trace.</param>
    /// <param name="notAtomic">The weakness that makes this operation two.</param>
    public static void EndUpdate<T>(ref T location, T old, T value, bool stores, Place place, Weakness notAtomic)
    {
        if (VirtualThread.Current is not { } self)
        {
            if (stores)
                location = value;
            return;
        }
        if (!stores)
        {
            if (self.Run.Traces)
                self.Run.Trace(self, $"{place} was {old?.ToString() ?? "null"}: not swapped");
        }
        else
        {
            if (IsWeak(self, notAtomic, place.Caller))
                self.Run.Point(self);
            if (IsWeak(self, Weakness.InterlockedIsNoFence, place.Caller))
                Store(self, ref location, value, place);
            else
                StoreNow(self, ref location, value, place);
        }
        self.Run.PointBeforePlainCode(self);
    }

    public static void Fence(string caller)
    {
        if (VirtualThread.Current is not { } self)
            return;
        self.Run.Point(self);
        if (IsWeak(self, Weakness.BarriersDoNothing, caller))
            return;
        self.Run.Drain(self);
        self.Run.Trace(self, "barrier");
    }

    public static void ProcessWideFence()
    {
        if (VirtualThread.Current is not { } self)
            return;
        self.Run.Point(self);
        if (IsWeak(self, Weakness.NoProcessWideBarrier))
            return;
        self.Run.DrainAll(self);
        self.Run.Trace(self, "process-wide barrier");
    }

    /// <summary>Whether an operation is broken.</summary>
    /// <param name="self">Whose it is.</param>
    /// <param name="weakness">How.</param>
    /// <param name="caller">In which member; null for one that is no member's.</param>
    public static bool IsWeak(VirtualThread self, Weakness weakness, string? caller = null)
    {
        Bounds bounds = self.Run.Bounds;
        return (bounds.Weakness & weakness) != 0 && (caller is null || bounds.WeakIn is null || bounds.WeakIn.Split(' ').Contains(caller));
    }

    private static void Store<T>(VirtualThread self, ref T location, T value, Place place)
    {
        nint address = AddressOf(in location);
        if (!self.Run.DelaysStore(self, address, place))
        {
            StoreNow(self, ref location, value, place);
            return;
        }
        if (self.Run.Traces)
            self.Run.Trace(self, $"{place} = {value?.ToString() ?? "null"} (delayed)");
        self.Stores.Add(address, value);
    }

    private static void StoreNow<T>(VirtualThread self, ref T location, T value, Place place)
    {
        location = value;
        self.Run.StoreReachedMemory();
        if (self.Run.Traces)
            self.Run.Trace(self, $"{place} = {value?.ToString() ?? "null"}");
    }

    private static unsafe nint AddressOf<T>(ref readonly T location) => (nint)Unsafe.AsPointer(ref Unsafe.AsRef(in location));
}
