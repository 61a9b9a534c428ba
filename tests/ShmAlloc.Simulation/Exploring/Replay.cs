using System.Globalization;
using ShmAlloc.Simulation.Machine;

namespace ShmAlloc.Simulation.Exploring;

/// <summary>Makes the choices of a run that was recorded. Written as "position:choice" for every choice that is not 0.</summary>
internal sealed class Replay(IReadOnlyDictionary<int, int> choices, bool switchesAtHints) : IStrategy
{
    private int _position;

    public bool SwitchesAtHints => switchesAtHints;

    public int Choose(int options, ulong key, SimulatedThread? current, SimulatedThread[] others) =>
        choices.GetValueOrDefault(_position++);

    internal static string Write(IEnumerable<int> choices, bool switchesAtHints)
    {
        IEnumerable<string> parts = choices.Index().Where(step => step.Item != 0)
            .Select(step => string.Create(CultureInfo.InvariantCulture, $"{step.Index}:{step.Item}"));
        return (switchesAtHints ? "h," : "s,") + string.Join(',', parts);
    }

    internal static Replay Read(string text)
    {
        string[] parts = text.Split(',', StringSplitOptions.RemoveEmptyEntries);
        Dictionary<int, int> choices = [];
        foreach (string part in parts.Skip(1))
        {
            string[] pair = part.Split(':');
            choices.Add(int.Parse(pair[0], CultureInfo.InvariantCulture), int.Parse(pair[1], CultureInfo.InvariantCulture));
        }

        return new Replay(choices, parts.FirstOrDefault() == "h");
    }
}
