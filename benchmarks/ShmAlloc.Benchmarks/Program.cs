using System.CommandLine;
using ShmAlloc.Benchmarks;
using ShmAlloc.Benchmarks.Caches;
using ShmAlloc.Benchmarks.Caches.Alone.Driving;
using ShmAlloc.Benchmarks.Caches.Driving;
using ShmAlloc.Benchmarks.Driving;
using ShmAlloc.Benchmarks.Flights;
using ShmAlloc.Benchmarks.Flights.Driving;
using ShmAlloc.Benchmarks.HitRates;
using ShmAlloc.Benchmarks.Hybrid;
using ShmAlloc.Benchmarks.Hybrid.Driving;
using ShmAlloc.Benchmarks.Measuring;
using ShmAlloc.Benchmarks.Web;
using ShmAlloc.Benchmarks.Web.Driving;

if (args is ["driver", .. var words])
{
    return Driver.Run(words);
}

if (args is ["cache-driver", .. var cacheWords])
{
    return CacheDriver.Run(cacheWords);
}

if (args is ["alone-driver", .. var aloneWords])
{
    return AloneDriver.Run(aloneWords);
}

if (args is ["flight-driver", var heapPath])
{
    return FlightDriver.Run(heapPath);
}

if (args is ["hybrid-driver", .. var hybridWords])
{
    return HybridDriver.Run(hybridWords);
}

if (args is ["web-worker", .. var webWords])
{
    return WebWorker.Run(webWords);
}

if (args is ["entry-driver", .. var entryWords])
{
    return EntryDriver.Run(entryWords);
}

if (args is ["memory-driver", .. var memoryWords])
{
    return MemoryDriver.Run(memoryWords);
}

Leftovers.ClearUpOnSignals();

Option<bool> quick = new("--quick") { Description = "What the table of targets needs, in short rounds: about two minutes in all." };
Option<bool> targets = new("--targets") { Description = "Only the table of targets, and what it needs; may be joined with --quick." };
Option<bool> smoke = new("--smoke") { Description = "One tiny round of everything in small heaps: whether it runs, not how fast." };
Option<string?> workload = new("--workload") { Description = "Only workloads whose title contains this; also: utilisation, fragmentation.", HelpName = "TEXT" };
Option<string?> subject = new("--subject") { Description = "Only subjects whose name contains this.", HelpName = "TEXT" };
Option<int?> rounds = new("--rounds") { Description = "How many rounds (default 11; 10 with --quick).", HelpName = "N" };
Option<double?> milliseconds = new("--milliseconds") { Description = "How long a round of one subject takes (default 60; 12 with --quick).", HelpName = "N" };
Option<Clock> clock = new("--clock")
{
    Description = "What the tables show: the time that passed, or the time that the threads were running, which is steadier on a busy machine.",
    DefaultValueFactory = _ => Clock.Wall,
};
Option<string?> json = new("--json") { Description = "Also write everything to this file.", HelpName = "FILE" };
Option<string?> svg = new("--svg") { Description = "Also draw a picture.", HelpName = "FILE" };

Command allocator = new("allocator", "Measures this library beside glibc, mimalloc, jemalloc, Boost.Interprocess and a lock around a free list.")
{
    quick, targets, smoke, workload, subject, rounds, milliseconds, clock, json, svg,
};
allocator.SetAction(parsed => AllocatorBenchmark.Run(new Choice(
    parsed.GetValue(quick),
    parsed.GetValue(targets),
    parsed.GetValue(smoke),
    parsed.GetValue(workload),
    parsed.GetValue(subject),
    parsed.GetValue(rounds),
    parsed.GetValue(milliseconds),
    parsed.GetValue(clock),
    parsed.GetValue(json),
    parsed.GetValue(svg))));

Option<string?> trace = new("--trace")
{
    Description = "Replay this file instead of the made-up traces: a text with one request per line, \"KEY SIZE\" or \"KEY\". KEY has no spaces; SIZE is "
        + "that of the value in bytes (960 if it is left out); empty lines and lines that begin with # are skipped.",
    HelpName = "FILE",
};
Option<bool> shorter = new("--quick") { Description = "Made-up traces of 400,000 instead of 2,000,000 requests." };
Option<string?> policy = new("--policy") { Description = "Only policies whose name contains this.", HelpName = "TEXT" };
Option<string?> title = new("--workload") { Description = "Only made-up traces whose title contains this.", HelpName = "TEXT" };
Option<string?> rates = new("--json") { Description = "Also write everything to this file.", HelpName = "FILE" };
Command hitRate = new("hitrate", "Compares the hit rates of eviction policies on traces, in caches of equal bytes.") { trace, shorter, policy, title, rates };
hitRate.SetAction(parsed => HitRateBenchmark.Run(new HitRateChoice(
    parsed.GetValue(trace), parsed.GetValue(shorter), parsed.GetValue(policy), parsed.GetValue(title), parsed.GetValue(rates))));

RootCommand root = new("Benchmarks of ShmAlloc. ./bench builds what it needs and runs this.")
{
    allocator, CacheCommand.Make(), FlightCommand.Make(), hitRate, HybridCommand.Make(), WebCommand.Make(),
};
return root.Parse(args is [] ? ["--help"] : args).Invoke();
