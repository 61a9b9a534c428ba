using ShmAlloc.Simulation.Machine;

namespace ShmAlloc.Simulation.Exploring;

/// <summary>All schedules within the budget, depth first, without those that order all conflicting accesses as one before did.</summary>
internal sealed class Systematic : IStrategy
{
    private readonly List<(int Choice, int Options)> _path = [];
    private readonly HashSet<ulong> _visited = [];
    private int _position;

    public bool SwitchesAtHints => false;

    internal IEnumerable<int> Choices => _path.Take(_position).Select(step => step.Choice);

    public int Choose(int options, ulong key, SimulatedThread? current, SimulatedThread[] others)
    {
        if (_position < _path.Count)
        {
            (int choice, int expected) = _path[_position++];
            return expected == options ? choice : throw new InvalidOperationException("The simulated program is not deterministic.");
        }

        if (!_visited.Add(HappensBefore.Mix(key, (ulong)(uint)options)))
        {
            return -1;
        }

        _path.Add((0, options));
        _position++;
        return 0;
    }

    /// <summary>Goes to the next schedule; false if there is none.</summary>
    internal bool MoveNext()
    {
        _position = 0;
        while (_path.Count > 0)
        {
            (int choice, int options) = _path[^1];
            if (choice + 1 < options)
            {
                _path[^1] = (choice + 1, options);
                return true;
            }

            _path.RemoveAt(_path.Count - 1);
        }

        return false;
    }
}
