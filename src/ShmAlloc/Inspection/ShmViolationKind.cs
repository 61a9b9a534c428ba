namespace ShmAlloc.Inspection;

/// <summary>Which invariant of a heap is broken. What <see cref="ShmViolation.Place"/> and <see cref="ShmViolation.Index"/> count is said for each.</summary>
public enum ShmViolationKind
{
    /// <summary>None.</summary>
    None,

    /// <summary>The header is not what it was when the heap was made.</summary>
    HeaderChecksum,

    /// <summary>The header says that fewer blocks are there than are known to be, or more than there may be.</summary>
    CommittedBlocks,

    /// <summary>The word of a slot (place) makes no sense.</summary>
    MalformedSlot,

    /// <summary>A cell (index) of a slot (place) makes no sense.</summary>
    MalformedCell,

    /// <summary>A cell (index) of a slot (place) that nobody has names something.</summary>
    CellInFreeSlot,

    /// <summary>The word of a block (place) makes no sense.</summary>
    MalformedBlock,

    /// <summary>A block (place) is owned by a slot that does not exist.</summary>
    NamesNoSlot,

    /// <summary>A block (place) is being changed by a slot that nobody has.</summary>
    NamesFreeSlot,

    /// <summary>A run that begins with a block (place) ends beyond the heap.</summary>
    ImpossibleLength,

    /// <summary>A block (place) is said to belong to a run that begins before the first block.</summary>
    HeadBeforeFirstBlock,

    /// <summary>A block (place) belongs to no run, and nobody is making one.</summary>
    BodyOfNoRun,

    /// <summary>A run that begins with a block (place) lacks some of its blocks.</summary>
    RunWithoutBody,

    /// <summary>A bitmap word (index) of a block (place) allows allocations, and the block does not.</summary>
    WordNotClosed,

    /// <summary>A bitmap word (index) of a block (place) has an allocation without an end.</summary>
    MalformedBitmap,

    /// <summary>An allocation in the last bitmap word (index) of a block (place) goes on beyond it.</summary>
    GoesOnBeyondBlock,

    /// <summary>An allocation in a bitmap word (index) of a block (place) goes on in the next one, which says nothing of it.</summary>
    GoesOnNowhere,

    /// <summary>The directory leads to no index of a cache (place).</summary>
    NoIndex,

    /// <summary>An entry (index) of a bucket (place) leads to no item of its cache.</summary>
    EntryWithoutItem,

    /// <summary>An entry (index) of a bucket (place) leads to an item whose key belongs elsewhere.</summary>
    EntryOutOfPlace,

    /// <summary>An entry (index) of a bucket (place) leads to one of two values of a key.</summary>
    KeyWithTwoValues,

    /// <summary>A block (place) has no storage although it is one of those that the heap began with.</summary>
    BareInitialBlock,
}
