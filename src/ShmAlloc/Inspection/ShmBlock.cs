namespace ShmAlloc.Inspection;

/// <summary>One block of a heap.</summary>
/// <param name="Index">Its number.</param>
/// <param name="Kind">What it is.</param>
/// <param name="Slot">
/// The participant slot whose current block it is, or that is changing it; −1: none. Of an open block it is a hint, and may be that of one who has left.
/// </param>
/// <param name="RunBlocks">Blocks of the run that begins with it; else 0.</param>
/// <param name="UsedUnits">Units of published allocations.</param>
/// <param name="PrivateUnits">Units that are being claimed or given back, or are garbage.</param>
/// <param name="FreeUnits">Units that are free.</param>
/// <param name="LargestFreeUnits">The most of these that lie in a row.</param>
/// <param name="Allocations">Published allocations that begin in it.</param>
/// <param name="HasGarbageHint">Whether it is thought to hold garbage.</param>
/// <param name="HasItemsHint">Whether it is thought to hold entries of caches.</param>
public readonly record struct ShmBlock(
    long Index,
    ShmBlockKind Kind,
    int Slot,
    long RunBlocks,
    int UsedUnits,
    int PrivateUnits,
    int FreeUnits,
    int LargestFreeUnits,
    int Allocations,
    bool HasGarbageHint,
    bool HasItemsHint);

/// <summary>What a block is.</summary>
public enum ShmBlockKind
{
    /// <summary>Its word makes no sense: damage.</summary>
    Unknown,

    /// <summary>Nothing is in it.</summary>
    Free,

    /// <summary>Nothing is in it, and its storage was given back to the system.</summary>
    GivenBack,

    /// <summary>Allocations lie in it.</summary>
    Open,

    /// <summary>As <see cref="Open"/>, and somebody is opening, sweeping or closing it.</summary>
    Busy,

    /// <summary>The first block of an allocation of whole blocks.</summary>
    Run,

    /// <summary>Another block of such an allocation.</summary>
    RunBody,

    /// <summary>Part of such an allocation that is being made or taken apart; or about to lose its storage or to get it.</summary>
    Moving,
}
