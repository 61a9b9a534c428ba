using System.CommandLine;
using System.Globalization;
using PathCache.Workers;

namespace PathCache;

/// <summary>The options of the program, and of the hidden command by which it starts its own workers.</summary>
internal static class CommandLine
{
    public const int MostWorkers = 256;
    public const int DefaultLimit = 25_000;

    private const string WorkerCommand = "worker";
    private const string DefaultHeapBytes = "1G";

    private const string Description = """
        Worker processes walk one folder tree, each in its own random order.
        What one of them finds out about a path (type, size, modification time,
        a hash of the first 4 KiB) it leaves in shared memory, where the others
        find it. The same walk without sharing shows what that saves; and every
        cached answer is checked against the file system.

        Exit codes:
          0    all went well
          1    a wrong answer, a damaged heap, or a worker that failed
          2    wrong usage, or no such folder
          3    the heap cannot be created, or is too small to begin with
          130  ended by Ctrl-C (128 + number for other signals)
        """;

    /// <summary>Makes the command.</summary>
    /// <param name="demo">Runs the demo.</param>
    /// <param name="worker">Runs a worker.</param>
    public static RootCommand Create(Func<DemoOptions, int> demo, Func<WorkerOrder, int> worker)
    {
        var folder = new Option<string>("--folder") { Description = "The folder to walk.", HelpName = "path", DefaultValueFactory = _ => "/usr" };
        Option<int> workers = Number("--workers", $"How many worker processes, 1 to {MostWorkers}.", 4, 1, MostWorkers);
        Option<int> limit = Number("--limit", "Walk at most so many paths, the upper levels first; 0: all there are.", DefaultLimit, 0, int.MaxValue);
        var heap = new Option<string?>("--heap") { Description = "The heap's file. It must not exist. [default: a new name below /dev/shm]", HelpName = "path" };
        Option<string> heapSize = Size("--heap-size", "Up to which size the heap grows, such as 64M or 2G.", DefaultHeapBytes);
        var seed = new Option<int?>("--seed") { Description = "Repeats the random orders of an earlier run. [default: another one each time]", HelpName = "number" };
        var kill = new Option<bool>("--kill") { Description = "Kill one worker (SIGKILL) at a random moment, and recover what it held." };
        var keep = new Option<bool>("--keep") { Description = "Leave the heap's file where it is." };
        var json = new Option<bool>("--json") { Description = "Print the results as JSON; progress goes to the error output." };
        var damage = new Option<bool>("--damage") { Description = "Damages an answer before the check.", Hidden = true };
        RootCommand command = new(Description) { folder, workers, limit, heap, heapSize, seed, kill, keep, json, damage, Worker(worker) };
        command.SetAction(parsed => demo(new DemoOptions(
            parsed.GetRequiredValue(folder),
            parsed.GetValue(workers),
            parsed.GetValue(limit) is > 0 and var most ? most : int.MaxValue,
            parsed.GetValue(heap) ?? $"/dev/shm/shmalloc-demo-{Environment.ProcessId}-{Random.Shared.Next():x8}",
            ByteSize.TryParse(parsed.GetRequiredValue(heapSize))!.Value,
            parsed.GetValue(seed) ?? Random.Shared.Next(1, 1_000_000),
            parsed.GetValue(kill),
            parsed.GetValue(keep),
            parsed.GetValue(json),
            parsed.GetValue(damage))));
        return command;
    }

    /// <summary>The arguments that start a worker; <see cref="Create"/> understands them.</summary>
    public static string[] WorkerArguments(WorkerOrder order) =>
    [
        WorkerCommand, order.HeapPath, $"{order.Number}", $"{order.Seed}", $"{order.Sharing}", $"{order.Endless}",
    ];

    private static Command Worker(Func<WorkerOrder, int> worker)
    {
        var heap = new Argument<string>("heap");
        var number = new Argument<int>("number");
        var seed = new Argument<int>("seed");
        var sharing = new Argument<bool>("sharing");
        var endless = new Argument<bool>("endless");
        Command command = new(WorkerCommand, "Runs a worker.") { heap, number, seed, sharing, endless };
        command.Hidden = true;
        command.SetAction(parsed => worker(new WorkerOrder(
            parsed.GetRequiredValue(heap), parsed.GetValue(number), parsed.GetValue(seed), parsed.GetValue(sharing), parsed.GetValue(endless))));
        return command;
    }

    private static Option<int> Number(string name, string description, int value, int least, int most)
    {
        var option = new Option<int>(name) { Description = description, HelpName = "number", DefaultValueFactory = _ => value };
        option.Validators.Add(result =>
        {
            // What is no number at all is reported without us.
            if (result.Tokens is [var token] && int.TryParse(token.Value, CultureInfo.InvariantCulture, out int given) && (given < least || given > most))
            {
                result.AddError(most == int.MaxValue ? $"{name} must be {least} or more." : $"{name} must lie between {least} and {most}.");
            }
        });
        return option;
    }

    private static Option<string> Size(string name, string description, string value)
    {
        var option = new Option<string>(name) { Description = description, HelpName = "size", DefaultValueFactory = _ => value };
        option.Validators.Add(result =>
        {
            if (ByteSize.TryParse(result.GetValueOrDefault<string>() ?? "") == null)
            {
                result.AddError($"{name} must be a size such as 64M or 2G.");
            }
        });
        return option;
    }
}
