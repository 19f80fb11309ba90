using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace NetGo.Interleaving;

/// <summary>The objects of a run whose fields may be in a store buffer: pinned, so that a place has an address.</summary>
internal sealed class SharedObjects : IDisposable
{
    private readonly List<(PinnedGCHandle<object> Handle, nint Start, long Size)> _objects = [];

    /// <summary>Pins an object and the arrays in its fields, also in those of its structs.</summary>
    public void Add(object o)
    {
        AddOne(o);
        AddArraysOf(o);
    }

    public bool Contains(nint address)
    {
        foreach ((_, nint start, long size) in _objects)
        {
            if (address >= start && address < start + size)
                return true;
        }
        return false;
    }

    private void AddOne(object o)
    {
        var handle = new PinnedGCHandle<object>(o);
        _objects.Add((handle, StartOf(o), SizeOf(o)));
    }

    private void AddArraysOf(object o)
    {
        foreach (FieldInfo field in o.GetType().GetFields(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic))
        {
            if (field.FieldType.IsArray && field.GetValue(o) is Array array)
                AddOne(array);
            else if (field.FieldType is { IsValueType: true, IsPrimitive: false, IsEnum: false })
                AddArraysOf(field.GetValue(o)!);
        }
    }

    private static unsafe nint StartOf(object o) => (nint)Unsafe.AsPointer(ref Unsafe.As<FirstByte>(o).Value);

    private static long SizeOf(object o)
    {
        if (o is Array array)
            return IntPtr.Size + (long)array.Length * RuntimeHelpers.SizeOf(array.GetType().GetElementType()!.TypeHandle);
        // What the allocation of another takes, less the header and the type's pointer. The first may take more, for the type.
        RuntimeHelpers.GetUninitializedObject(o.GetType());
        long before = GC.GetAllocatedBytesForCurrentThread();
        RuntimeHelpers.GetUninitializedObject(o.GetType());
        return GC.GetAllocatedBytesForCurrentThread() - before - 2 * IntPtr.Size;
    }

    public void Dispose()
    {
        foreach ((PinnedGCHandle<object> handle, _, _) in _objects)
            handle.Dispose();
        _objects.Clear();
    }

    /// <summary>Any object, looked at as one with a first field.</summary>
    private sealed class FirstByte
    {
#pragma warning disable CS0649 // only its address is asked for
        public byte Value;
#pragma warning restore CS0649
    }
}
