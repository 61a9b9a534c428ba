using ShmAlloc.Simulation.Machine;

namespace ShmAlloc.Simulation.Exploring;

/// <summary>
/// Seeded random schedules: at each step, with a probability that each seed chooses for itself (1/4 to 1/256), one of all options is taken,
/// so that some runs switch all the time and others hardly ever. Deaths are among the options.
/// </summary>
internal sealed class RandomWalk : IStrategy
{
    private readonly List<int> _choices = [];
    private readonly Random _random;
    private readonly int _meanDistance;

    internal RandomWalk(ulong seed)
    {
        _random = new Random((int)(seed ^ (seed >> 32)));
        _meanDistance = 1 << _random.Next(2, 9);
    }

    public bool SwitchesAtHints => true;

    internal IReadOnlyList<int> Choices => _choices;

    public int Choose(int options, ulong key, SimulatedThread? current, SimulatedThread[] others)
    {
        int choice = current == null ? _random.Next(options)
            : _random.Next(_meanDistance) == 0 ? _random.Next(options)
            : 0;
        _choices.Add(choice);
        return choice;
    }
}
