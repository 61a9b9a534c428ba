using System.IO.MemoryMappedFiles;

namespace ShmAlloc.Benchmarks.Driving;

/// <summary>The small file in which all workers of one measurement meet, whatever process they belong to, and hand each other objects.</summary>
/// <remarks>The first word counts arrivals; arrays of words begin after the first page. The same layout as <c>benchmarks/peers/coordination.c</c>.</remarks>
internal sealed unsafe class Coordination : IDisposable
{
    internal const int ArrayLength = 4096;
    internal const int Bytes = FirstArray + (Arrays * ArrayLength * sizeof(ulong));

    private const int Arrays = 8;
    private const int FirstArray = 4096;
    private const int Spins = 2000;

    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _start;
    private readonly long _workers;

    internal Coordination(string path, int workers)
    {
        _workers = workers;
        _file = MemoryMappedFile.CreateFromFile(path, FileMode.Open);
        _view = _file.CreateViewAccessor();
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _start);
    }

    /// <summary>Returns once all workers have come.</summary>
    internal void Meet()
    {
        ref long arrivals = ref *(long*)_start;
        long ticket = Interlocked.Increment(ref arrivals) - 1;
        long target = ((ticket / _workers) + 1) * _workers;
        for (int spins = 0; Volatile.Read(ref arrivals) < target; spins++)
        {
            if (spins > Spins)
            {
                Thread.Yield();
            }
        }
    }

    internal ulong* Array(int index) => (ulong*)(_start + FirstArray) + (index * ArrayLength);

    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }
}
