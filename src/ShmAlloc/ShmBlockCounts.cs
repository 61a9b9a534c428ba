namespace ShmAlloc;

/// <summary>How many blocks of the committed region are in which state.</summary>
/// <param name="Free">All words closed; may become part of a run or be opened.</param>
/// <param name="Open">Open for allocations.</param>
/// <param name="Owned">Open for allocations, and somebody's current block.</param>
/// <param name="Busy">In an exclusive transition: being opened, swept or closed.</param>
/// <param name="InRuns">Part of a published run.</param>
/// <param name="InTransition">Part of a run that is being put together, retired or taken apart; or about to lose its storage or to get it.</param>
/// <param name="GivenBack">Free, but without storage: see <see cref="ShmHeap.Trim"/>.</param>
public sealed record ShmBlockCounts(long Free, long Open, long Owned, long Busy, long InRuns, long InTransition, long GivenBack);
