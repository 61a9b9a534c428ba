namespace ShmAlloc.Simulation.Machine;

/// <summary>How large a simulated world is. Small worlds can be explored; the defaults make a block of 64 units in two words.</summary>
internal sealed record WorldShape
{
    internal int UnitShift { get; init; } = 4;

    internal int WordsPerBlockShift { get; init; } = 1;

    internal int CommittedBlocks { get; init; } = 2;

    internal int MaximumBlocks { get; init; } = 2;

    /// <summary>Blocks that the heap began with; 0: all that are committed.</summary>
    internal int InitialBlocks { get; init; }

    /// <summary>Whether the file system can take storage back.</summary>
    internal bool MakesHoles { get; init; } = true;

    /// <summary>Blocks for which the file system has room.</summary>
    internal int StorageBlocks { get; init; } = 64;

    internal int Slots { get; init; } = 5;

    internal int Cells { get; init; } = 3;

    internal int OperationCells { get; init; } = 2;

    /// <summary>Attachments; the last one is the judge's.</summary>
    internal int Participants { get; init; } = 4;

    internal int ShardsOfParticipant { get; init; } = 2;

    /// <summary>
    /// Whether a process asks for locks through the descriptor that holds its own: then the kernel says that its own slot's lock is to be had.
    /// </summary>
    internal bool SharesDescription { get; init; }

    internal int Threads { get; init; } = 4;

    /// <summary>
    /// A participant that cannot find out how large the heap is: it has no descriptor, may not open the file, and its kernel cannot be asked about the
    /// mapping. −1: none.
    /// </summary>
    internal int Blind { get; init; } = -1;

    /// <summary>Whether somebody is stopped in the middle of something all the time: then others may be told "contended".</summary>
    internal bool HasStopped { get; init; }

    /// <summary>Whether what lies in allocations is simulated as well: for programs with a cache.</summary>
    internal bool HasUserArea { get; init; }

    /// <summary>Whether there is room for all that the program asks for, at any time: then nobody may be told that there is none.</summary>
    internal bool HasRoom { get; init; }

    /// <summary>What the history of a cache must be like: no value may vanish by itself.</summary>
    internal bool IsMap { get; init; }
}
