using System.Globalization;

namespace ShmAlloc.Benchmarks.Measuring;

/// <summary>What is measured: a pattern on sizes, by so many threads or processes, in a heap of some size.</summary>
internal sealed record Workload(string Title, string Pattern)
{
    internal const long MiB = 1L << 20;
    internal const long GiB = 1L << 30;

    internal (int Smallest, int Largest) Sizes { get; init; }

    /// <summary>Sizes are log-normal around this, if it is not 0.</summary>
    internal int Median { get; init; }

    internal int Live { get; init; } = 8192;

    /// <summary>How full the heap is kept; 0 if that does not matter.</summary>
    internal int Percent { get; init; }

    /// <summary>What a full heap is asked for.</summary>
    internal int Request { get; init; }

    internal bool Touch { get; init; }

    internal int Threads { get; init; } = 1;

    internal int Processes { get; init; } = 1;

    internal long HeapBytes { get; init; } = 64 * MiB;

    /// <summary>What is preallocated of it, if that is less.</summary>
    internal long? CommittedBytes { get; init; }

    /// <summary>Processes that have attached the heap, too, and do nothing.</summary>
    internal int IdleParticipants { get; init; }

    /// <summary>Whether objects go from one process to another, or the heap itself is what is measured: nothing for private memory.</summary>
    internal bool NeedsSharing =>
        Percent != 0 || Request != 0 || Pattern is "attach" or "create" || (Processes > 1 && Pattern is "handover" or "larson");

    /// <summary>Operations come in multiples of this.</summary>
    internal long Granularity => Pattern switch
    {
        "handover" => 4096,
        "larson" => 16,
        "threadtest" => 10_000,
        _ => 1,
    };

    /// <summary>Whether one operation takes long, so that a measurement begins with one.</summary>
    internal bool IsSlow => Pattern is "attach" or "create" or "refused";

    /// <summary>The workload without what varies inside a table.</summary>
    internal string Variant
    {
        get
        {
            string who = Processes > 1 ? $"{Processes} processes" : Threads > 1 ? $"{Threads} threads" : "1 thread";
            string full = Percent != 0 ? $", {Percent} % full" : "";
            string heap = HeapBytes == 64 * MiB ? "" : $", heap of {HeapText}";
            return who + full + heap;
        }
    }

    internal IEnumerable<string> Words =>
        [
            $"pattern={Pattern}", $"smallest={Sizes.Smallest}", $"largest={Sizes.Largest}", $"median={Median}", $"live={Live}",
            $"percent={Percent}", $"request={Request}", $"touch={(Touch ? 1 : 0)}", $"threads={Threads}", $"processes={Processes}",
            $"heap={HeapBytes.ToString(CultureInfo.InvariantCulture)}",
        ];

    private string HeapText
    {
        get
        {
            string size = HeapBytes >= GiB ? $"{HeapBytes / GiB} GiB" : $"{HeapBytes / MiB} MiB";
            return CommittedBytes is { } committed ? $"{committed / MiB} MiB that may grow to {size}" : size;
        }
    }
}
