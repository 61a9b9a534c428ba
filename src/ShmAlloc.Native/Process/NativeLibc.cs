using System.Runtime.InteropServices;

namespace ShmAlloc.Native.Process;

/// <summary>What only a foreign process needs of the C library.</summary>
internal static unsafe class NativeLibc
{
    /// <summary>A variable of the environment; in a program that runs with more rights than its caller (setuid, capabilities), none is set.</summary>
    [DllImport("libc", EntryPoint = "secure_getenv"), SuppressGCTransition]
    internal static extern byte* Variable(byte* name);

    [DllImport("libc", EntryPoint = "getcwd"), SuppressGCTransition]
    internal static extern byte* CurrentDirectory(byte* buffer, nuint length);

    [DllImport("libc", EntryPoint = "getpid"), SuppressGCTransition]
    internal static extern int ProcessId();

    [DllImport("libc", EntryPoint = "gettid"), SuppressGCTransition]
    internal static extern int ThreadId();

    [DllImport("libc", EntryPoint = "pthread_self"), SuppressGCTransition]
    internal static extern ulong ThreadHandle();

    [DllImport("libc", EntryPoint = "sched_yield"), SuppressGCTransition]
    internal static extern int Yield();
}
