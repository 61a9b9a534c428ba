using System.CommandLine;

namespace ShmAlloc.Benchmarks.Flights;

/// <summary>The command line of <c>flights</c>.</summary>
internal static class FlightCommand
{
    internal static Command Make()
    {
        Option<bool> quick = new("--quick") { Description = "The same with fewer keys, waiters and rounds: about a minute." };
        Option<bool> smoke = new("--smoke") { Description = "One tiny round of everything: whether it runs, not how fast." };
        Option<string?> workload = new("--workload") { Description = "Only measurements whose title contains this.", HelpName = "TEXT" };
        Option<string?> json = new("--json") { Description = "Also write everything to this file.", HelpName = "FILE" };
        Command command = new("flights", "Measures how callers in several processes wait for values that one of them works out.")
        {
            quick, smoke, workload, json,
        };
        command.SetAction(parsed => FlightBenchmark.Run(new FlightChoice(
            parsed.GetValue(quick), parsed.GetValue(smoke), parsed.GetValue(workload), parsed.GetValue(json))));
        return command;
    }
}
