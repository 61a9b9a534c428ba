namespace ShmAlloc.Inspection;

/// <summary>A broken invariant and its place, without text, so that any caller can put it into words.</summary>
/// <param name="Kind">Which invariant.</param>
/// <param name="Place">Number of the slot, block or bucket.</param>
/// <param name="Index">Number of the cell, word or entry in it.</param>
/// <param name="Word">The word that is wrong, as it is stored.</param>
/// <param name="Other">The word that contradicts it, the block word of a bitmap word, or the number of the cache.</param>
internal readonly record struct Violation(ShmViolationKind Kind, ulong Place = 0, uint Index = 0, ulong Word = 0, ulong Other = 0)
{
    internal bool IsNone => Kind == ShmViolationKind.None;
}

/// <summary>What a verification found. The first violations are kept in memory of the caller, all are counted.</summary>
internal unsafe struct VerificationReport
{
    internal Violation* Listed;
    internal int Capacity;
    internal long Violations;
    internal long Allocations;
    internal long Private;
    internal ulong Blocks;
    internal long Entries;

    internal readonly int ListedCount => (int)Math.Min(Violations, Capacity);

    internal void Add(in Violation violation)
    {
        if (Violations < Capacity)
        {
            Listed[Violations] = violation;
        }

        Violations++;
    }
}
