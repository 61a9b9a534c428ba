using ShmAlloc.Simulation.Machine;

namespace ShmAlloc.Simulation.Exploring;

/// <summary>Makes the choices of a run.</summary>
internal interface IStrategy
{
    /// <summary>Whether threads are also preempted at hints, which cannot break anything but may hide room.</summary>
    bool SwitchesAtHints { get; }

    /// <summary>Chooses among options; 0 is to go on.</summary>
    /// <param name="options">How many there are.</param>
    /// <param name="key">Names the state.</param>
    /// <param name="current">Who runs; null if the one before has ended.</param>
    /// <param name="others">Whom the run could switch to.</param>
    /// <returns>The choice, or −1 to give the run up.</returns>
    int Choose(int options, ulong key, SimulatedThread? current, SimulatedThread[] others);
}
