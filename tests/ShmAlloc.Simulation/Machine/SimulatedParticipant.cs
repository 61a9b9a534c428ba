using ShmAlloc.Participants;

namespace ShmAlloc.Simulation.Machine;

/// <summary>One attachment in a simulated process: what dies at once.</summary>
internal sealed unsafe class SimulatedParticipant(int index, Attachment* heap)
{
    internal int Index { get; } = index;

    internal Attachment* Heap { get; } = heap;

    /// <summary>Whether the scheduler may kill it.</summary>
    internal bool IsMortal { get; set; }

    internal bool HasSeveralThreads { get; set; }

    internal bool IsDead { get; set; }

    /// <summary>Whether its mapping was replaced by private zeros.</summary>
    internal bool IsRetired { get; set; }
}
