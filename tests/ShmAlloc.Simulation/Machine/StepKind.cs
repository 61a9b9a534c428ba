namespace ShmAlloc.Simulation.Machine;

/// <summary>What a simulated thread is about to do.</summary>
internal enum StepKind
{
    Read,

    /// <summary>A release store: it enters the thread's store buffer.</summary>
    Write,

    /// <summary>An interlocked operation: it drains the store buffer.</summary>
    CompareExchange,

    /// <summary>An unconditional interlocked store.</summary>
    Announce,

    Or,

    And,

    /// <summary>A question to the world: locks, storage.</summary>
    World,
}
