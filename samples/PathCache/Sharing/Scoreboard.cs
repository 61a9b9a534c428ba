using System.Runtime.InteropServices;
using ShmAlloc;

namespace PathCache.Sharing;

/// <summary>
/// What one worker says of itself, in shared memory: the parent draws its progress from it, and what a killed worker had done can still be
/// read there. Two cache lines each, so that no worker slows another down by counting.
/// </summary>
[StructLayout(LayoutKind.Sequential, Size = 128)]
internal struct WorkerScore
{
    public long Lookups;
    public long Hits;
    public long Misses;
    public long LostRaces;

    /// <summary>Answers that could not be left.</summary>
    public long NoRoom;

    /// <summary>Medians, written at the end.</summary>
    public long HitNanoseconds;
    public long MissNanoseconds;

    /// <summary><see cref="System.Diagnostics.Stopwatch"/> at the last answer (one clock for all processes); 0 while it works.</summary>
    public long FinishedAt;
}

/// <summary>The scores of all workers of one phase: an array in the heap, each element written by one worker only.</summary>
internal sealed unsafe class Scoreboard
{
    private readonly WorkerScore* _scores;

    private Scoreboard(ShmHeap heap, ShmOffset offset, int workers)
    {
        _scores = (WorkerScore*)heap.GetPointer(offset);
        Workers = workers;
    }

    public int Workers { get; }

    public static Scoreboard Create(ShmHeap heap, SharedRoot root, int workers)
    {
        ShmOffset offset = heap.Calloc(workers, sizeof(WorkerScore), out ShmStatus status);
        SharedRoots.Set(heap, root, SharedRoots.Required(offset, status, "the workers' scores"));
        return new Scoreboard(heap, offset, workers);
    }

    public static Scoreboard Open(ShmHeap heap, SharedRoot root)
    {
        ShmOffset offset = SharedRoots.Find(heap, root, sizeof(WorkerScore), out long usableBytes);
        return new Scoreboard(heap, offset, (int)(usableBytes / sizeof(WorkerScore)));
    }

    /// <summary>A worker's own score, to write by <see cref="Volatile"/>.</summary>
    public WorkerScore* Of(int worker) =>
        worker >= 0 && worker < Workers ? &_scores[worker] : throw new SharedDataException($"no score for worker {worker} among {Workers}");

    public long Lookups(int worker) => Volatile.Read(ref Of(worker)->Lookups);

    /// <summary>A copy, good for reading once the worker has ended.</summary>
    public WorkerScore Read(int worker)
    {
        Thread.MemoryBarrier();
        return *Of(worker);
    }
}
