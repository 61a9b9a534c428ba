using System.CommandLine;

namespace ShmAlloc.Benchmarks.Web;

/// <summary>The command line of <c>web</c>.</summary>
internal static class WebCommand
{
    internal static Command Make()
    {
        Option<bool> quick = new("--quick") { Description = "The same with fewer keys and entries, and shorter." };
        Option<bool> smoke = new("--smoke") { Description = "One tiny round of everything: whether it runs, not how fast." };
        Option<string?> workload = new("--workload") { Description = "Only measurements whose title contains this: load, cold, removals, memory, bytes.", HelpName = "TEXT" };
        Option<string?> json = new("--json") { Description = "Also write everything to this file.", HelpName = "FILE" };
        Command command = new("web", "Measures three workers of ASP.NET Core with a cache in shared memory, with Redis, and with Microsoft's HybridCache and Redis.")
        {
            quick, smoke, workload, json,
        };
        command.SetAction(parsed => WebBenchmark.Run(new WebChoice(
            parsed.GetValue(quick), parsed.GetValue(smoke), parsed.GetValue(workload), parsed.GetValue(json))));
        return command;
    }
}
