using System.Runtime.InteropServices;

namespace NetGo.Netpoll;

/// <summary>A piece of memory for a vectored write: struct iovec.</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct IOVector
{
    public void* Base;
    public nuint Length;
}
