using System.CommandLine;
using ShmAlloc.Benchmarks.Measuring;

namespace ShmAlloc.Benchmarks.Hybrid;

/// <summary>The command line of <c>hybrid</c>.</summary>
internal static class HybridCommand
{
    internal static Command Make()
    {
        Option<bool> quick = new("--quick") { Description = "The same in short rounds." };
        Option<bool> smoke = new("--smoke") { Description = "One tiny round of everything: whether it runs, not how fast." };
        Option<string?> workload = new("--workload") { Description = "Only tables whose title contains this.", HelpName = "TEXT" };
        Option<string?> subject = new("--subject") { Description = "Only subjects whose name contains this.", HelpName = "TEXT" };
        Option<int?> rounds = new("--rounds") { Description = "How many rounds (default 11; 10 with --quick).", HelpName = "N" };
        Option<double?> milliseconds = new("--milliseconds")
        {
            Description = "How long a round of one subject takes (default 60; 12 with --quick).",
            HelpName = "N",
        };
        Option<Clock> clock = new("--clock")
        {
            Description = "What the tables show: the time that passed, or the time that the threads were running, which leaves out waiting for a server.",
            DefaultValueFactory = _ => Clock.Wall,
        };
        Option<string?> json = new("--json") { Description = "Also write everything to this file.", HelpName = "FILE" };
        Command command = new("hybrid", "Measures HybridCache and IDistributedCache in shared memory beside Microsoft's, with and without Redis, and FusionCache.")
        {
            quick, smoke, workload, subject, rounds, milliseconds, clock, json,
        };
        command.SetAction(parsed => HybridBenchmark.Run(new HybridChoice(
            parsed.GetValue(quick),
            parsed.GetValue(smoke),
            parsed.GetValue(workload),
            parsed.GetValue(subject),
            parsed.GetValue(rounds),
            parsed.GetValue(milliseconds),
            parsed.GetValue(clock),
            parsed.GetValue(json))));
        return command;
    }
}
