using System.Diagnostics;
using ShmAlloc.Simulation.Exploring;
using ShmAlloc.Simulation.Machine;
using ShmAlloc.Simulation.Programs;

if (args is ["replay", string name, string preemptions, string kills, string choices])
{
    SimulatedProgram program = Catalogue.All.Single(candidate => candidate.Name == name);
    (string? fault, string trace) = new Explorer(program).Again(new Budget(int.Parse(preemptions), int.Parse(kills)), Replay.Read(choices));
    Console.WriteLine(trace);
    Console.WriteLine(fault ?? "no fault");
    return fault == null ? 0 : 1;
}

if (!OneProcessor.Pin())
{
    Console.Error.WriteLine("Cannot run on one processor only; it will be slow.");
}

int failures = 0;
foreach (SimulatedProgram program in Catalogue.All)
{
    foreach (Budget budget in (Budget[])[new(0, 0), new(1, 0), new(2, 0), new(0, 1), new(1, 1), new(3, 0)])
    {
        Stopwatch watch = Stopwatch.StartNew();
        Exploration exploration = new Explorer(program).ExploreAll(budget, TimeSpan.FromSeconds(20));
        Console.WriteLine($"{exploration}  {watch.Elapsed.TotalSeconds:F1} s, {exploration.Steps / watch.Elapsed.TotalSeconds:N0} steps/s");
        failures += exploration.Fault == null ? 0 : 1;
    }
}

return failures;
