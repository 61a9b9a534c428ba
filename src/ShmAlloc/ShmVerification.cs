using System.Globalization;
using ShmAlloc.Inspection;

namespace ShmAlloc;

/// <summary>What <see cref="ShmHeap.Verify"/> found.</summary>
/// <param name="Violations">Each broken invariant with its place; empty if the heap is sound. At most 1000 are listed.</param>
/// <param name="Allocations">Published allocations that were walked.</param>
/// <param name="PrivateAllocations">Private ones: being built, or garbage that the next sweep frees. They are not violations.</param>
/// <param name="BlocksWalked">Blocks that were walked.</param>
public sealed record ShmVerification(IReadOnlyList<string> Violations, long Allocations, long PrivateAllocations, long BlocksWalked)
{
    /// <summary>The same violations with their places as numbers, in the same order.</summary>
    public IReadOnlyList<ShmViolation> Details { get; init; } = [];

    /// <summary>How many violations there are, those that are not listed included.</summary>
    public long ViolationCount { get; init; } = Violations.Count;

    /// <summary>Entries of caches that were walked.</summary>
    public long EntriesWalked { get; init; }

    /// <summary>Whether all was walked that was to be: false if it was cancelled.</summary>
    public bool IsComplete { get; init; } = true;

    /// <summary>Whether nothing was found.</summary>
    public bool IsSound => ViolationCount == 0;

    /// <summary>One line: sound or not, what was walked, and the first violation.</summary>
    /// <returns>For instance "sound: 3 allocations and 0 private ones in 16 blocks".</returns>
    public override string ToString()
    {
        string verdict = ViolationCount switch
        {
            0 => "sound",
            1 => "1 violation",
            _ => string.Create(CultureInfo.InvariantCulture, $"{ViolationCount} violations"),
        };
        string walked = string.Create(
            CultureInfo.InvariantCulture, $"{verdict}: {Allocations} allocations and {PrivateAllocations} private ones in {BlocksWalked} blocks");
        return Violations.Count == 0 ? walked : $"{walked}; first: {Violations[0]}";
    }
}
