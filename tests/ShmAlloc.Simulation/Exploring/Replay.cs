using System.Globalization;
using ShmAlloc.Simulation.Machine;

namespace ShmAlloc.Simulation.Exploring;

/// <summary>Makes the moves of a run that was recorded. Written as "step:move" for every move that is not to go on.</summary>
internal sealed class Replay(IReadOnlyDictionary<int, Move[]> moves) : IStrategy
{
    private int _step;
    private int _made;

    public bool IsPoint(int step, bool isDecisive) => moves.ContainsKey(step);

    public int Choose(Scheduler scheduler, SimulatedThread? current, IReadOnlyList<Move> options)
    {
        if (!moves.TryGetValue(scheduler.Steps, out Move[]? atStep))
        {
            return 0;
        }

        // Who is switched to was about to store, perhaps, and is asked once more in the same step.
        _made = scheduler.Steps == _step ? _made : 0;
        _step = scheduler.Steps;
        for (int index = 0; _made < atStep.Length && index < options.Count; index++)
        {
            if (options[index] == atStep[_made])
            {
                _made++;
                return index;
            }
        }

        if (_made > 0)
        {
            return 0;
        }

        throw new ViolationException($"At step {scheduler.Steps} the move '{atStep[0]}' is not possible: the program is not the one that was recorded.");
    }

    internal static string Write(IEnumerable<(int Step, Move Move)> schedule) =>
        string.Join(',', schedule.Select(taken => string.Create(CultureInfo.InvariantCulture, $"{taken.Step}:{taken.Move}")));

    /// <summary>Throws a <see cref="FormatException"/> if it is no schedule.</summary>
    internal static Replay Read(string text)
    {
        Dictionary<int, Move[]> moves = [];
        foreach (string part in text.Split(',', StringSplitOptions.RemoveEmptyEntries))
        {
            if (part.Split(':') is not [var step, { Length: > 0 } move] || !int.TryParse(step, CultureInfo.InvariantCulture, out int number))
            {
                throw new FormatException($"'{part}' is not of the form STEP:MOVE.");
            }

            moves[number] = [.. moves.GetValueOrDefault(number, []), Move.Parse(move)];
        }

        return new Replay(moves);
    }
}
