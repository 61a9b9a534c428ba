using System.Globalization;

namespace ShmAlloc.Simulation.Exploring;

/// <summary>What came of exploring many programs.</summary>
internal sealed class Totals
{
    private long _steps;
    private long _pruned;
    private int _complete;
    private int _ends;

    internal int Programs { get; private set; }

    internal long Runs { get; private set; }

    internal void Add(Exploration exploration)
    {
        Programs++;
        Runs += exploration.Runs;
        _steps += exploration.Steps;
        _ends += exploration.Ends;
        _pruned += exploration.Pruned;
        _complete += exploration.IsComplete ? 1 : 0;
    }

    internal string ToText(TimeSpan elapsed) => string.Create(
        CultureInfo.InvariantCulture,
        $"{Programs} programs, {_complete} explored completely; {Runs:N0} runs ({_pruned:N0} pruned), {_ends:N0} ends, {_steps:N0} steps in {elapsed.TotalSeconds:F0} s: {_steps / elapsed.TotalSeconds:N0} steps/s; no promise was broken");
}
