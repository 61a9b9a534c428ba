using ShmAlloc.Simulation.Machine;

namespace ShmAlloc.Simulation.Exploring;

/// <summary>
/// Seeded schedules by priorities: threads get random priorities, the highest goes on, and at a few random steps whoever runs is put last.
/// Deaths come at random steps as well.
/// </summary>
/// <remarks>
/// Source: Burckhardt, Kothari, Musuvathi, Nagarakatte, "A Randomized Scheduler with Probabilistic Guarantees of Finding Bugs" (PCT): a fault that
/// needs d orderings among k steps of n threads is found by one run with a probability of at least 1/(n·k^(d−1)).
/// </remarks>
internal sealed class PriorityWalk : IStrategy
{
    private const int MostChanges = 6;

    private readonly Random _random;
    private readonly int[] _priorities;
    private readonly HashSet<int> _changes = [];
    private readonly Queue<int> _deaths;
    private int _lowest;

    /// <param name="seed">Makes the run repeatable.</param>
    /// <param name="threads">How many there are.</param>
    /// <param name="steps">About how many steps a run has.</param>
    /// <param name="deaths">How many at most.</param>
    internal PriorityWalk(ulong seed, int threads, int steps, int deaths)
    {
        _random = new Random((int)(seed ^ (seed >> 32)));
        _priorities = [.. Enumerable.Range(1, threads)];
        _random.Shuffle(_priorities);
        for (int change = _random.Next(1, MostChanges + 1); change > 0; change--)
        {
            _changes.Add(_random.Next(1, steps + 1));
        }

        _deaths = new Queue<int>(Enumerable.Range(0, deaths).Select(_ => _random.Next(1, steps + 1)).Order());
    }

    public bool IsPoint(int step, bool isDecisive) => true;

    public int Choose(Scheduler scheduler, SimulatedThread? current, IReadOnlyList<Move> moves)
    {
        if (current != null && _changes.Remove(scheduler.Steps))
        {
            _priorities[current.Index] = --_lowest;
        }

        int best = 0;
        int alternatives = 1;
        for (int index = 0; index < moves.Count; index++)
        {
            switch (moves[index].Kind)
            {
                case MoveKind.Die when _deaths.TryPeek(out int step) && scheduler.Steps >= step:
                    _deaths.Dequeue();
                    return index;

                case MoveKind.Flush when _random.Next(16) == 0:
                    return index;

                case MoveKind.Switch when PriorityOf(moves[index], current) > PriorityOf(moves[best], current):
                    best = index;
                    alternatives = 1;
                    break;

                // The same thread, with another number of stores that become visible.
                case MoveKind.Switch when moves[index].Thread == moves[best].Thread && _random.Next(++alternatives) == 0:
                    best = index;
                    break;
            }
        }

        return best;
    }

    private int PriorityOf(Move move, SimulatedThread? current) => _priorities[move.Kind == MoveKind.Switch ? move.Thread : current!.Index];
}
