using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace NetGo.Connections.Tests;

/// <summary>While it is there, this process can open nothing. Linux.</summary>
internal sealed unsafe partial class NoDescriptors : IDisposable
{
    private const int NoFile = 7; // RLIMIT_NOFILE

    private readonly Limit _before;
    private readonly List<SafeFileHandle> _taken = [];

    public NoDescriptors()
    {
        GC.Collect(); // sockets that others have left would be closed, and descriptors be there again
        GC.WaitForPendingFinalizers();
        Limit before;
        Require(GetLimit(NoFile, &before));
        _before = before;
        Set(new Limit { Soft = (nuint)Directory.GetFileSystemEntries("/proc/self/fd").Length + 64, Hard = before.Hard });
        try
        {
            while (true)
                _taken.Add(File.OpenHandle("/dev/null"));
        }
        catch (IOException)
        {
            // now there is none
        }
    }

    private struct Limit
    {
        public nuint Soft;
        public nuint Hard;
    }

    public void Dispose()
    {
        _taken.ForEach(static handle => handle.Dispose());
        Set(_before);
    }

    private static void Set(Limit limit) => Require(SetLimit(NoFile, &limit));

    private static void Require(int result)
    {
        if (result != 0)
            throw new Win32Exception();
    }

    [LibraryImport("libc", EntryPoint = "getrlimit", SetLastError = true)]
    private static partial int GetLimit(int resource, Limit* limit);

    [LibraryImport("libc", EntryPoint = "setrlimit", SetLastError = true)]
    private static partial int SetLimit(int resource, Limit* limit);
}
