namespace ShmAlloc.Layout;

/// <summary>What a block is.</summary>
internal enum BlockState
{
    /// <summary>All words closed; may become part of a run or be opened. Value 1: nobody has used it since the last round (see TrimRounds).</summary>
    Free = 0,

    /// <summary>Allocations are allowed, by anyone.</summary>
    Open = 1,

    /// <summary>As <see cref="Open"/>; adds a hint whose current block it is.</summary>
    Owned = 2,

    /// <summary>Exclusive transition of one thread of a participant: opening, sweeping or closing. Others pass by.</summary>
    Busy = 3,

    /// <summary>Part of a run being put together (value: distance to the head), or the body of one.</summary>
    Claiming = 4,

    /// <summary>Head of a run in use; value: length in blocks.</summary>
    Run = 5,

    /// <summary>Head of a run that is logically free; value: length in blocks.</summary>
    Retired = 6,

    /// <summary>Head of a run being taken apart by a participant; value: length in blocks.</summary>
    Freeing = 7,

    /// <summary>As <see cref="Free"/>, but without storage: nothing may touch it before it is free again.</summary>
    Bare = 8,

    /// <summary>Exclusive transition of one thread of a participant: a block loses its storage, or gets it. Others pass by.</summary>
    Baring = 9,
}
