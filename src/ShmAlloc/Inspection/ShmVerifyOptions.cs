namespace ShmAlloc.Inspection;

/// <summary>How <see cref="ShmInspector.Verify"/> is to go about it.</summary>
public sealed record ShmVerifyOptions
{
    /// <summary>
    /// Into how many parts the heap is divided, of which a call looks at one: so that it can be verified a little at a time. 1 or more; default 1, all of it.
    /// Slots and header are looked at with every part.
    /// </summary>
    public int Parts { get; init; } = 1;

    /// <summary>Which of the <see cref="Parts"/>: 0 to one less than that.</summary>
    public int Part { get; init; }

    /// <summary>So many violations are listed at most, and all are counted: 0 to 1,000,000; default 1000.</summary>
    public int MaxListed { get; init; } = 1000;

    /// <summary>Is told a few hundred times how far it has come, on the thread that verifies; <see langword="null"/>: nobody.</summary>
    public IProgress<ShmVerifyProgress>? Progress { get; init; }

    /// <summary>Ends it early. What was found until then is the answer, with <see cref="ShmVerification.IsComplete"/> false.</summary>
    public CancellationToken Cancellation { get; init; }
}

/// <summary>How far <see cref="ShmInspector.Verify"/> has come.</summary>
/// <param name="Blocks">Blocks that were looked at.</param>
/// <param name="AllBlocks">Blocks that will be.</param>
/// <param name="Buckets">Buckets of caches that were looked at.</param>
/// <param name="AllBuckets">Buckets that will be.</param>
/// <param name="Violations">How many were found so far.</param>
public readonly record struct ShmVerifyProgress(long Blocks, long AllBlocks, long Buckets, long AllBuckets, long Violations);
