namespace ShmAlloc.Histories.Checking;

/// <summary>What may come next in an order: one operation, perhaps after an eviction.</summary>
/// <param name="IsPending">Whether the operation is one of the pending ones, or one of those that were answered.</param>
/// <param name="Index">Which of them.</param>
/// <param name="IsEvictedBefore">Whether the entry was evicted just before.</param>
internal readonly record struct Choice(bool IsPending, int Index, bool IsEvictedBefore)
{
    /// <summary>Stands before the first choice.</summary>
    internal static Choice None => new(false, -1, true);
}
