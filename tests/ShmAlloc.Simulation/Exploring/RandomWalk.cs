using ShmAlloc.Simulation.Machine;

namespace ShmAlloc.Simulation.Exploring;

/// <summary>
/// Seeded random schedules: at each step, with a probability that each seed chooses for itself (1/4 to 1/256), one of all moves is made,
/// so that some runs switch all the time and others hardly ever. Deaths are among the moves.
/// </summary>
internal sealed class RandomWalk : IStrategy
{
    private readonly Random _random;
    private readonly int _meanDistance;

    internal RandomWalk(ulong seed)
    {
        _random = new Random((int)(seed ^ (seed >> 32)));
        _meanDistance = 1 << _random.Next(2, 9);
    }

    public bool IsPoint(int step, bool isDecisive) => true;

    public int Choose(Scheduler scheduler, SimulatedThread? current, IReadOnlyList<Move> moves) =>
        current == null || _random.Next(_meanDistance) == 0 ? _random.Next(moves.Count) : 0;
}
