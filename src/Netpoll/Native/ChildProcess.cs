using System.ComponentModel;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace NetGo.Netpoll;

/// <summary>Starts a program with descriptors at chosen numbers, which <see cref="Process"/> cannot: posix_spawn(3) puts them there in
/// the child only, so that no other program that is started meanwhile gets them. Numbers are those of spawn.h and signal.h of Linux
/// (glibc and musl), macOS and FreeBSD.</summary>
internal static unsafe partial class ChildProcess
{
    private const int SIGPIPE = 13;
    private const int SIGKILL = 9;

    // posix_spawnattr_t, posix_spawn_file_actions_t and sigset_t: glibc's, the greatest, have 336, 80 and 128 bytes.
    private const int OpaqueSize = 512;

    private static bool IsFreeBsd => OperatingSystem.IsFreeBSD();

    private static short POSIX_SPAWN_SETSIGDEF => IsFreeBsd ? (short)0x10 : (short)0x4;

    private static short POSIX_SPAWN_SETSIGMASK => IsFreeBsd ? (short)0x20 : (short)0x8;

    /// <summary>Starts a program. Its standard streams are those of this process.</summary>
    /// <param name="startInfo">Program, arguments and working directory.</param>
    /// <param name="environment">Its whole environment.</param>
    /// <param name="descriptors">What it has at <see cref="InheritedSockets.FirstDescriptor"/> and after. All of them greater than the last
    /// of those numbers.</param>
    /// <returns>Its process id.</returns>
    /// <exception cref="Win32Exception">It cannot be started.</exception>
    public static int Start(ProcessStartInfo startInfo, IReadOnlyDictionary<string, string> environment, ReadOnlySpan<nint> descriptors)
    {
        byte* actions = stackalloc byte[OpaqueSize];
        byte* attributes = stackalloc byte[OpaqueSize];
        byte* signals = stackalloc byte[OpaqueSize];
        using var arguments = new NativeStrings([startInfo.FileName, .. startInfo.ArgumentList]);
        using var variables = new NativeStrings([.. environment.Select(v => $"{v.Key}={v.Value}")]);
        Require(InitializeActions(actions));
        try
        {
            for (int i = 0; i < descriptors.Length; i++)
                Require(AddDuplicate(actions, (int)descriptors[i], InheritedSockets.FirstDescriptor + i));
            if (startInfo.WorkingDirectory is { Length: > 0 } directory)
            {
                using var path = new NativeStrings([directory]);
                Require(AddChangeDirectory(actions, *path.Pointer));
            }
            Require(InitializeAttributes(attributes));
            try
            {
                // .NET ignores SIGPIPE, which a program would inherit. Caught signals are back at their defaults in it anyway.
                Require(SetFlags(attributes, (short)(POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK)));
                _ = EmptySignals(signals);
                Require(SetSignalMask(attributes, signals));
                _ = AddSignal(signals, SIGPIPE);
                Require(SetDefaultSignals(attributes, signals));
                int child;
                Require(SpawnUnbound(&child, *arguments.Pointer, actions, attributes, arguments.Pointer, variables.Pointer));
                return child;
            }
            finally
            {
                _ = DestroyAttributes(attributes);
            }
        }
        finally
        {
            _ = DestroyActions(actions);
        }

        void Require(int error)
        {
            if (error != 0)
                throw new Win32Exception(error, $"The program {startInfo.FileName} cannot be started: {Marshal.GetPInvokeErrorMessage(error)}");
        }
    }

    // On Linux a program inherits on which cores the thread that starts it may run. That may be a machine's, which is bound to those of a
    // processor (SchedulerOptions.MachineBinding), or have inherited it from one; the process's first thread is not.
    private static int SpawnUnbound(int* child, byte* path, void* actions, void* attributes, byte** arguments, byte** environment)
    {
        if (!OperatingSystem.IsLinux())
            return Spawn(child, path, actions, attributes, arguments, environment);
        nuint size = (nuint)sizeof(LinuxThreads.CpuMask);
        LinuxThreads.CpuMask own, first;
        bool rebind = LinuxThreads.GetAffinity(0, size, &own) >= 0 &&
            LinuxThreads.GetAffinity(Environment.ProcessId, size, &first) >= 0 && LinuxThreads.SetAffinity(0, size, &first) == 0;
        int error = Spawn(child, path, actions, attributes, arguments, environment);
        if (rebind)
            _ = LinuxThreads.SetAffinity(0, size, &own);
        return error;
    }

    /// <summary>Ends a child, if it has not ended itself, and says how it ended.</summary>
    public static string Kill(int child)
    {
        _ = Kill(child, SIGKILL);
        int status;
        while (Wait(child, &status, 0) < 0)
        {
            if (Marshal.GetLastPInvokeError() != UnixSockets.EINTR)
                return "its end is unknown"; // somebody waits for all children of this process
        }
        int signal = status & 0x7F;
        return signal == 0 ? $"exit code {(status >> 8) & 0xFF}" : $"signal {signal}";
    }

    /// <summary>The process that started this one, or whoever has it since that one ended.</summary>
    [LibraryImport("libc", EntryPoint = "getppid")]
    [SuppressGCTransition]
    public static partial int ParentId();

    /// <summary>char*[] with a null at its end.</summary>
    private readonly struct NativeStrings : IDisposable
    {
        private readonly int _count;

        public NativeStrings(string[] strings)
        {
            _count = strings.Length;
            Pointer = (byte**)NativeMemory.AllocZeroed((nuint)strings.Length + 1, (nuint)sizeof(byte*));
            for (int i = 0; i < strings.Length; i++)
                Pointer[i] = (byte*)Marshal.StringToCoTaskMemUTF8(strings[i]);
        }

        public byte** Pointer { get; }

        public void Dispose()
        {
            for (int i = 0; i < _count; i++)
                Marshal.FreeCoTaskMem((nint)Pointer[i]);
            NativeMemory.Free(Pointer);
        }
    }

    // Returns when the program has been started in the child, or could not be. It may sleep until then.
    [LibraryImport("libc", EntryPoint = "posix_spawnp")]
    private static partial int Spawn(int* child, byte* path, void* actions, void* attributes, byte** arguments, byte** environment);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_init")]
    private static partial int InitializeActions(void* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_adddup2")]
    private static partial int AddDuplicate(void* actions, int descriptor, int newDescriptor);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_addchdir_np")]
    private static partial int AddChangeDirectory(void* actions, byte* path);

    [LibraryImport("libc", EntryPoint = "posix_spawn_file_actions_destroy")]
    private static partial int DestroyActions(void* actions);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_init")]
    private static partial int InitializeAttributes(void* attributes);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setflags")]
    private static partial int SetFlags(void* attributes, short flags);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigmask")]
    private static partial int SetSignalMask(void* attributes, void* signals);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_setsigdefault")]
    private static partial int SetDefaultSignals(void* attributes, void* signals);

    [LibraryImport("libc", EntryPoint = "posix_spawnattr_destroy")]
    private static partial int DestroyAttributes(void* attributes);

    [LibraryImport("libc", EntryPoint = "sigemptyset")]
    private static partial int EmptySignals(void* signals);

    [LibraryImport("libc", EntryPoint = "sigaddset")]
    private static partial int AddSignal(void* signals, int signal);

    [LibraryImport("libc", EntryPoint = "waitpid", SetLastError = true)]
    private static partial int Wait(int child, int* status, int options);

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Kill(int process, int signal);
}
