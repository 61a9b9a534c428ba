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
}
