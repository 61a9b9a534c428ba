using ShmAlloc.Simulation.Machine;

namespace ShmAlloc.Simulation.Exploring;

/// <summary>Makes the choices of a run.</summary>
internal interface IStrategy
{
    /// <summary>Whether a thread may be preempted before an access.</summary>
    /// <param name="step">The number of the step.</param>
    /// <param name="isDecisive">Whether it is an access to truth that threads fight over, as opposed to a hint or to what nobody else writes.</param>
    bool IsPoint(int step, bool isDecisive);

    /// <summary>Chooses among moves; the first one is to go on, unless the thread before has ended.</summary>
    /// <returns>The index of the choice, or −1 to give the run up.</returns>
    int Choose(Scheduler scheduler, SimulatedThread? current, IReadOnlyList<Move> moves);
}
