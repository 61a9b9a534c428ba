using System.Runtime.InteropServices;

namespace ShmAlloc.Benchmarks;

/// <summary>The C library's allocator, as .NET programs reach it.</summary>
internal readonly unsafe struct CLibrary : ISubject
{
    public static string Name => "glibc malloc (NativeMemory)";

    public static ulong Allocate(int sizeBytes) => (ulong)NativeMemory.Alloc((nuint)sizeBytes);

    public static void Free(ulong address) => NativeMemory.Free((void*)address);
}

/// <summary>This library, through its public interface.</summary>
internal readonly struct SharedHeap : ISubject
{
    public static string Name => "ShmAlloc (ShmHeap)";

    internal static ShmHeap Heap { get; set; } = null!;

    public static ulong Allocate(int sizeBytes)
    {
        ShmOffset offset = Heap.Malloc(sizeBytes, out ShmStatus status);
        return status == ShmStatus.Ok ? offset.Value : throw new InvalidOperationException(status.Describe());
    }

    public static void Free(ulong address)
    {
        ShmStatus status = Heap.Free(new ShmOffset(address));
        if (status != ShmStatus.Ok)
        {
            throw new InvalidOperationException(status.Describe());
        }
    }
}
