namespace ShmAlloc.Native.Process;

/// <summary>Which option or argument is to blame, where a code alone does not say so: each has one sentence, in <see cref="DetailText"/>.</summary>
internal enum Detail : byte
{
    None,
    StructSize,
    Flags,
    Null,
    CacheName,

    // Options of a cache.
    Capacity,
    LimitBytes,
    TagSlots,
    Checksums,
    AllowsRemoveAll,
    RemoveAll,

    // Options of an entry, and of a flight.
    ManyTags,
    AddAndVersion,
    VersionHere,
    SlidingAndStale,
    StaleWithoutExpiry,
    RefreshTooLate,
    TagsOfFlight,
    KeyOfFlight,

    // Options of a heap.
    UnitBytes,
    LargestBytes,
    BlockBytes,
    SizeBytes,
    MaximumBytes,
    Participants,

    // Settings in the environment that are no numbers, or out of range.
    MinAllocVariable,
    MaxAllocVariable,
    MaximumVariable,
    InitialSizeVariable,
    ParticipantsVariable,
    ModeVariable,
    TrimAfterVariable,
}
