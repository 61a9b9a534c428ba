using System.Runtime.InteropServices;

namespace ShmAlloc.Benchmarks.Driving;

/// <summary>This library, through its public interface.</summary>
internal readonly unsafe struct SharedHeap : ISubject
{
    private static ShmHeap _heap = null!;

    public static string Version => $"ShmAlloc {typeof(ShmHeap).Assembly.GetName().Version?.ToString(3)} on {RuntimeInformation.FrameworkDescription}";

    public static void Open(Parameters parameters, string path) => _heap = ShmHeap.Attach(path);

    public static void Create(Parameters parameters, string path) =>
        _heap = ShmHeap.Create(path, new ShmHeapOptions { SizeBytes = parameters.HeapBytes });

    public static void Close() => _heap.Dispose();

    public static ulong Allocate(uint sizeBytes) => _heap.Malloc(sizeBytes, out _).Value;

    public static void Free(ulong handle)
    {
        ShmStatus status = _heap.Free(new ShmOffset(handle));
        if (status != ShmStatus.Ok)
        {
            throw new InvalidOperationException(status.Describe());
        }
    }

    public static void* Address(ulong handle) => _heap.GetPointer(new ShmOffset(handle));
}

/// <summary>No allocator: what the loops themselves cost in C#.</summary>
internal readonly unsafe struct Nothing : ISubject
{
    public static string Version => "no allocator";

    public static void Open(Parameters parameters, string path)
    {
    }

    public static void Create(Parameters parameters, string path)
    {
    }

    public static void Close()
    {
    }

    public static ulong Allocate(uint sizeBytes) => sizeBytes;

    public static void Free(ulong handle)
    {
    }

    public static void* Address(ulong handle) => (void*)handle;
}
