using System.Runtime.InteropServices;
using ShmAlloc.TestSupport;

namespace ShmAlloc.Simulation.Machine;

/// <summary>Passed from one operating system thread to another. A futex: the program runs on one processor, so handing over is one switch.</summary>
internal sealed unsafe partial class Baton
{
    private const int WaitPrivate = 128;
    private const int WakePrivate = 129;

    private static readonly long FutexCall = SystemCallNumber.Futex(RuntimeInformation.ProcessArchitecture);

    private readonly int* _word = (int*)NativeMemory.AllocZeroed(sizeof(int));

    internal void Hand()
    {
        Volatile.Write(ref *_word, 1);
        Futex(FutexCall, _word, WakePrivate, 1, null, null, 0);
    }

    internal void Await()
    {
        while (Interlocked.Exchange(ref *_word, 0) == 0)
        {
            Futex(FutexCall, _word, WaitPrivate, 0, null, null, 0);
        }
    }

    [LibraryImport("libc", EntryPoint = "syscall")]
    private static partial long Futex(long number, int* word, int operation, int value, void* timeout, void* word2, int value3);
}
