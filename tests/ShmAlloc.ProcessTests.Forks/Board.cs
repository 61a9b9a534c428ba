using System.Runtime.InteropServices;

namespace ShmAlloc.ProcessTests.Forks;

/// <summary>Words that a process shares with its children, beside any heap: what they tell survives them.</summary>
internal static unsafe class Board
{
    private const int Words = 512;
    private const int ReadWrite = 3;
    private const int SharedAnonymous = 0x21;

    private static readonly long* Memory = Map(null, Words * sizeof(long), ReadWrite, SharedAnonymous, -1, 0);

    internal static ref long Word(int index) => ref Memory[index];

    [DllImport("libc", EntryPoint = "mmap")]
    private static extern long* Map(void* address, nuint length, int protection, int flags, int descriptor, nint offset);
}
