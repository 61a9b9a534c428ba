using System.Diagnostics;
using ShmAlloc.Simulation;
using ShmAlloc.Simulation.Exploring;
using ShmAlloc.Simulation.Machine;
using ShmAlloc.Simulation.Programs;

try
{
    switch (args)
    {
        case ["explore", .. var options]:
            return Explore(CommandLine.Parse(options));
        case ["replay", var name, var schedule]:
            return ReplayOne(name, schedule);
        case ["list"]:
            foreach ((string set, IEnumerable<SimulatedProgram> programs) in Catalogue.Sets)
            {
                Console.WriteLine($"{set}:\n  {string.Join("\n  ", programs.Select(program => program.Name))}");
            }

            return 0;
        default:
            Console.WriteLine(CommandLine.Usage);
            return args is ["--help"] or ["-h"] ? 0 : 2;
    }
}
catch (FormatException exception)
{
    Console.Error.WriteLine($"{exception.Message}\n{CommandLine.Usage}");
    return 2;
}

static int Explore(CommandLine line)
{
    OneProcessor.Pin(line.Processor);
    Stopwatch watch = Stopwatch.StartNew();
    Totals totals = new();
    Coverage coverage = new();
    ulong seed = line.Seed;
    do
    {
        foreach (SimulatedProgram program in line.Programs)
        {
            Explorer explorer = new(program, line.Reduce);
            Exploration exploration = line.RandomRuns > 0
                ? explorer.ExploreRandomly(line.Budget, seed, line.RandomRuns, line.StepLimit)
                : explorer.ExploreAll(line.Budget, line.StepLimit);
            totals.Add(exploration);
            coverage.Add(explorer.Sites);
            if (exploration.Fault != null)
            {
                Console.WriteLine(exploration);
                Console.WriteLine($"found after {totals.Runs:N0} runs, {watch.Elapsed.TotalSeconds:F1} s");
                return 1;
            }
        }

        seed += (ulong)line.RandomRuns;
    }
    while (line.RandomRuns > 0 && watch.Elapsed.TotalMinutes < line.Minutes);

    Console.WriteLine(totals.ToText(watch.Elapsed) + (line.RandomRuns > 0 ? $"; go on with --seed {seed}" : ""));
    if (line.CoverageFile != null)
    {
        coverage.Write(line.CoverageFile);
    }

    return totals.Programs == 0 ? 2 : 0;
}

static int ReplayOne(string name, string schedule)
{
    OneProcessor.Pin(Environment.ProcessId);
    SimulatedProgram program = Catalogue.All.FirstOrDefault(candidate => candidate.Name == name)
        ?? throw new FormatException($"There is no program '{name}'.");
    (string? fault, string trace) = new Explorer(program).Again(Replay.Read(schedule));
    Console.WriteLine(trace);
    Console.WriteLine(fault ?? "no fault");
    return fault == null ? 0 : 1;
}
