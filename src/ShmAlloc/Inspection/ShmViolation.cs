namespace ShmAlloc.Inspection;

/// <summary>A broken invariant and its place.</summary>
/// <param name="Kind">Which invariant.</param>
/// <param name="Place">Number of the slot, block, bucket or cache: see <see cref="ShmViolationKind"/>.</param>
/// <param name="Index">Number of the cell, word or entry in it; 0 if there is none.</param>
/// <param name="Cache">Number of the cache, if it is about an entry; else <see langword="null"/>.</param>
/// <param name="Text">One line that names the place and what is wrong, without any byte that a user has stored.</param>
public sealed record ShmViolation(ShmViolationKind Kind, long Place, int Index, int? Cache, string Text);
