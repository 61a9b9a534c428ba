using ShmAlloc.Simulation.Machine;

namespace ShmAlloc.Simulation.Exploring;

/// <summary>All schedules within the budget, depth first, without those that order all conflicting accesses as one before did.</summary>
/// <param name="reduce">Whether schedules are left out that lead to nothing new. To try all of them takes very long, and is there to check the reduction.</param>
internal sealed class Systematic(bool reduce) : IStrategy
{
    private readonly List<(int Choice, int Options, ulong State)> _path = [];
    private readonly HashSet<ulong> _visited = [];
    private int _position;

    public bool IsPoint(int step, bool isDecisive) => isDecisive || !reduce;

    public int Choose(Scheduler scheduler, SimulatedThread? current, IReadOnlyList<Move> moves)
    {
        if (_position < _path.Count)
        {
            (int choice, int options, _) = _path[_position++];
            return options == moves.Count ? choice : throw new InvalidOperationException("The simulated program is not deterministic.");
        }

        if (reduce)
        {
            ulong state = scheduler.StateOf(current);
            if (!_visited.Add(state))
            {
                // A run that comes back to a state of its own would be lost: something that it did is not in the hash.
                return _path.Exists(step => step.State == state) ? throw new InvalidOperationException("A run comes back to a state that it had.") : -1;
            }

            _path.Add((0, moves.Count, state));
        }
        else
        {
            _path.Add((0, moves.Count, 0));
        }

        _position++;
        return 0;
    }

    /// <summary>Goes to the next schedule; false if there is none.</summary>
    internal bool MoveNext()
    {
        _position = 0;
        while (_path.Count > 0)
        {
            (int choice, int options, ulong state) = _path[^1];
            if (choice + 1 < options)
            {
                _path[^1] = (choice + 1, options, state);
                return true;
            }

            _path.RemoveAt(_path.Count - 1);
        }

        return false;
    }
}
