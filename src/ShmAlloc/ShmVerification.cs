using System.Globalization;

namespace ShmAlloc;

/// <summary>What <see cref="ShmHeap.Verify"/> found.</summary>
/// <param name="Violations">Each broken invariant with its place; empty if the heap is sound. At most 1000 are listed.</param>
/// <param name="Allocations">Published allocations that were walked.</param>
/// <param name="PrivateAllocations">Private ones: being built, or garbage that the next sweep frees. They are not violations.</param>
/// <param name="BlocksWalked">Blocks that were walked.</param>
public sealed record ShmVerification(IReadOnlyList<string> Violations, long Allocations, long PrivateAllocations, long BlocksWalked)
{
    /// <summary>Whether nothing was found.</summary>
    public bool IsSound => Violations.Count == 0;

    /// <summary>One line: sound or not, what was walked, and the first violation.</summary>
    /// <returns>For instance "sound: 3 allocations and 0 private ones in 16 blocks".</returns>
    public override string ToString()
    {
        string verdict = Violations.Count switch
        {
            0 => "sound",
            1 => "1 violation",
            >= 1000 => "1000 violations or more",
            _ => $"{Violations.Count} violations",
        };
        string walked = string.Create(
            CultureInfo.InvariantCulture, $"{verdict}: {Allocations} allocations and {PrivateAllocations} private ones in {BlocksWalked} blocks");
        return IsSound ? walked : $"{walked}; first: {Violations[0]}";
    }
}
