using System.CommandLine;
using Workers.Serving;

namespace Workers;

/// <summary>The options of the program, and of the hidden command by which it starts its own workers.</summary>
internal static class CommandLine
{
    public const string WorkerCommand = "worker";

    private const string Description = """
        Web workers on one port share one HybridCache: what one of them reads, all
        have; what one of them removes, none serves any more; a worker that is
        killed takes nothing with it. Reads of the slow service behind them, and
        answers that are too old, are counted.

        Exit codes:
          0    all went well
          1    a read too many, an answer that was too old, or a worker that failed
          2    wrong usage
          130  ended by Ctrl-C (128 + number for other signals)
        """;

    /// <summary>Makes the command.</summary>
    public static RootCommand Create(Func<ShowOptions, Task<int>> show, Func<WorkerSettings, Task<int>> worker)
    {
        Option<int> workers = Number("--workers", "How many worker processes, 2 to 16.", 3, 2, 16);
        Option<int> articles = Number("--articles", "How many articles there are, 1 to 1000.", 20, 1, 1000);
        Option<int> read = Number("--read-ms", "How many milliseconds the slow service takes, 0 to 1000.", 50, 0, 1000);
        Option<int> seconds = Number("--seconds", "How long the load lasts, and the page is there, 1 to 3600.", 5, 1, 3600);
        Option<CacheKind> cache = new("--cache") { Description = "In shared memory, or Microsoft's in each process.", DefaultValueFactory = _ => CacheKind.Shared };
        Option<bool> json = new("--json") { Description = "Print the results as JSON." };
        RootCommand command = new(Description) { workers, articles, read, seconds, cache, json, Worker(worker) };
        command.SetAction((parsed, _) => show(new ShowOptions(
            parsed.GetValue(workers),
            parsed.GetValue(articles),
            parsed.GetValue(read),
            parsed.GetValue(seconds),
            parsed.GetValue(cache),
            $"/dev/shm/shmalloc-workers-{Environment.ProcessId}-{Random.Shared.Next():x8}",
            parsed.GetValue(json))));
        return command;
    }

    private static Command Worker(Func<WorkerSettings, Task<int>> worker)
    {
        Argument<int> port = new("port");
        Argument<int> service = new("service");
        Argument<string> memory = new("memory");
        Argument<int> number = new("number");
        Argument<int> count = new("workers");
        Argument<CacheKind> cache = new("cache");
        Command hidden = new(WorkerCommand, "Runs a worker.") { port, service, memory, number, count, cache };
        hidden.Hidden = true;
        hidden.SetAction((parsed, _) => worker(new WorkerSettings(
            parsed.GetRequiredValue(port),
            parsed.GetRequiredValue(service),
            parsed.GetRequiredValue(memory),
            parsed.GetRequiredValue(number),
            parsed.GetRequiredValue(count),
            parsed.GetRequiredValue(cache))));
        return hidden;
    }

    private static Option<int> Number(string name, string description, int value, int least, int most)
    {
        var option = new Option<int>(name) { Description = description, HelpName = "number", DefaultValueFactory = _ => value };
        option.Validators.Add(result =>
        {
            if (result.Tokens is [var token] && int.TryParse(token.Value, out int given) && (given < least || given > most))
            {
                result.AddError($"{name} must lie between {least} and {most}.");
            }
        });
        return option;
    }
}
