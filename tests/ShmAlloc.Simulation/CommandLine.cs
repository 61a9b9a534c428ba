using System.Globalization;
using ShmAlloc.Simulation.Exploring;
using ShmAlloc.Simulation.Programs;

namespace ShmAlloc.Simulation;

/// <summary>What was asked for on the command line.</summary>
internal sealed record CommandLine
{
    internal const string Usage = """
        usage: simulation explore [options]     try schedules and deaths; exit code 1 at the first broken promise
               simulation replay PROGRAM SCHEDULE
                                                repeat one run, as a failure printed it, with a readable trace
               simulation list                  the names of all programs

        options of explore
          --set NAME         pairs, threads, deaths, fours, targeted, or those of the cache: cache, cachethreads,
                             cachedeaths, cachefours, cachetargeted, cacheflights (default: all)
          --program TEXT     only programs whose name contains the text
          --preemptions N    switches away from a thread that could go on, at most (default 1)
          --deaths N         deaths at most (default 0)
          --random RUNS      so many seeded random schedules of each program instead of all within the budget
          --seed N           first seed (default 1)
          --minutes M        repeat --random with further seeds until the time is up, and say with which seed to go on
          --steps N          at most so many steps for each program (default 20000000; a million takes about a second)
          --plain yes        try also the schedules that lead to nothing new: slow, to check the reduction
          --shared-description yes
                             locks are asked for through the descriptor that holds one's own
          --processor N      the processor that it runs on (by default any)
          --coverage FILE    write which accesses were reached, and at which somebody died
        """;

    internal string Set { get; private init; } = "";

    internal string Program { get; private init; } = "";

    internal Budget Budget { get; private init; } = new(1, 0);

    internal long RandomRuns { get; private init; }

    internal ulong Seed { get; private init; } = 1;

    /// <summary>How long random runs go on with further seeds.</summary>
    internal double Minutes { get; private init; }

    /// <summary>How many steps are done for each program: it is not the time that decides what is tried.</summary>
    internal long StepLimit { get; private init; } = 20_000_000;

    /// <summary>Whether schedules that lead to nothing new are left out.</summary>
    internal bool Reduce { get; private init; } = true;

    internal bool SharesDescription { get; private init; }

    internal int Processor { get; private init; } = Environment.ProcessId;

    internal string? CoverageFile { get; private init; }

    /// <summary>Throws a <see cref="FormatException"/> that says what is not understood.</summary>
    internal static CommandLine Parse(ReadOnlySpan<string> arguments)
    {
        CommandLine line = new();
        for (int index = 0; index < arguments.Length; index += 2)
        {
            string option = arguments[index];
            string value = index + 1 < arguments.Length ? arguments[index + 1] : throw new FormatException($"{option} needs a value.");
            line = option switch
            {
                "--set" => line with { Set = value },
                "--program" => line with { Program = value },
                "--preemptions" => line with { Budget = line.Budget with { Preemptions = (int)Number(value) } },
                "--deaths" => line with { Budget = line.Budget with { Kills = (int)Number(value) } },
                "--random" => line with { RandomRuns = Number(value) },
                "--seed" => line with { Seed = (ulong)Number(value) },
                "--minutes" => line with { Minutes = double.Parse(value, CultureInfo.InvariantCulture) },
                "--steps" => line with { StepLimit = Number(value) },
                "--plain" => line with { Reduce = value != "yes" },
                "--shared-description" => line with { SharesDescription = value == "yes" },
                "--processor" => line with { Processor = (int)Number(value) },
                "--coverage" => line with { CoverageFile = value },
                _ => throw new FormatException($"There is no option {option}."),
            };
        }

        return line;
    }

    internal IEnumerable<SimulatedProgram> Programs =>
        Catalogue.Sets.Where(set => Set.Length == 0 || set.Key == Set).SelectMany(set => set.Value)
            .Where(program => program.Name.Contains(Program, StringComparison.Ordinal))
            .Select(program => program with { Shape = program.Shape with { SharesDescription = SharesDescription } });

    private static long Number(string value) => long.Parse(value, CultureInfo.InvariantCulture);
}
