using System.Globalization;
using ShmAlloc.Caching;

namespace ShmAlloc.ProcessTests.Worker;

/// <summary>What a worker has at hand between one line and the next: its heap, and what it holds in it.</summary>
internal sealed class HeapSession
{
    private ShmHeap? _heap;
    private SharedCache? _cache;

    internal ShmHeap Heap
    {
        get => _heap ?? throw new InvalidOperationException("No heap is open.");
        set => _heap = value;
    }

    /// <summary>What the last exception said.</summary>
    internal string FailureText { get; set; } = "";

    /// <summary>A value that this worker is to work out.</summary>
    internal CacheFlight? Flight { get; set; }

    /// <summary>The heap's default cache.</summary>
    internal SharedCache Cache
    {
        get => _cache ?? throw new InvalidOperationException("No cache is open.");
        set => _cache = value;
    }

    /// <summary>Reservations by their number, which counts up.</summary>
    internal List<ShmReservation> Reservations { get; } = [];

    /// <summary>Allocations that the worker keeps to itself, with their lengths.</summary>
    internal List<(ShmOffset Offset, int LengthBytes)> Held { get; } = [];

    internal List<(Churn Churn, Thread Thread)> Churning { get; } = [];

    internal Flying? Flying { get; set; }

    /// <summary>Files that have nothing to do with the heap.</summary>
    internal List<FileStream> Files { get; } = [];

    internal static ulong Number(string text) => ulong.Parse(text, CultureInfo.InvariantCulture);

    internal static int Count(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    internal static ShmOffset Offset(string text) => new(Number(text));
}
