using System.Globalization;

namespace ShmAlloc.Simulation.Exploring;

/// <summary>What came of exploring a program.</summary>
internal sealed class Exploration
{
    internal required string Program { get; init; }

    internal required Budget Budget { get; init; }

    internal long Runs { get; set; }

    internal long Steps { get; set; }

    /// <summary>Runs that led to a state where another had been.</summary>
    internal long Pruned { get; set; }

    /// <summary>Different ends of the program, hints apart.</summary>
    internal int Ends { get; set; }

    /// <summary>Whether all schedules within the budget were tried.</summary>
    internal bool IsComplete { get; set; }

    internal string? Fault { get; set; }

    internal ulong? Seed { get; set; }

    internal string? Schedule { get; set; }

    public override string ToString()
    {
        string line = string.Create(
            CultureInfo.InvariantCulture,
            $"{Program}: {Runs:N0} runs ({Pruned:N0} pruned), {Steps:N0} steps, {Budget.Preemptions} preemptions, {Budget.Kills} deaths{(IsComplete ? ", complete" : "")}");
        return Fault == null
            ? line
            : $"{line}\n  FAULT: {Fault}{(Seed == null ? "" : $" (seed {Seed})")}\n  replay '{Program}' {Schedule}";
    }
}
