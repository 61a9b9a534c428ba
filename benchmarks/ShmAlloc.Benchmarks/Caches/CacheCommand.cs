using System.CommandLine;
using ShmAlloc.Benchmarks.Measuring;

namespace ShmAlloc.Benchmarks.Caches;

/// <summary>The command line of <c>cache</c>.</summary>
internal static class CacheCommand
{
    internal static Command Make()
    {
        Option<bool> quick = new("--quick") { Description = "What the table of targets needs, in short rounds: about two minutes in all." };
        Option<bool> large = new("--large")
        {
            Description = "10 million keys, and 100,000 values of 16 KiB, instead of the rest: gigabytes, and half an hour.",
        };
        Option<bool> smoke = new("--smoke") { Description = "One tiny round of everything: whether it runs, not how fast." };
        Option<string?> workload = new("--workload")
        {
            Description = "Only workloads whose title contains this, as 'get 100 B' or 'zipf, 1 thread'.",
            HelpName = "TEXT",
        };
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
        Option<string?> svg = new("--svg") { Description = "Also draw a picture.", HelpName = "FILE" };

        Command command = new("cache", "Measures the shared cache beside ConcurrentDictionary, MemoryCache, BitFaster, LMDB, Redis and memcached.")
        {
            quick, large, smoke, workload, subject, rounds, milliseconds, clock, json, svg,
        };
        command.SetAction(parsed => CacheBenchmark.Run(new CacheChoice(
            parsed.GetValue(quick),
            parsed.GetValue(large),
            parsed.GetValue(smoke),
            parsed.GetValue(workload),
            parsed.GetValue(subject),
            parsed.GetValue(rounds),
            parsed.GetValue(milliseconds),
            parsed.GetValue(clock),
            parsed.GetValue(json),
            parsed.GetValue(svg))));
        return command;
    }
}
