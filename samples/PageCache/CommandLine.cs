using System.CommandLine;
using System.Globalization;

namespace PageCache;

/// <summary>The options of the program, and of the hidden command by which it starts its own workers.</summary>
internal static class CommandLine
{
    public const string WorkerCommand = "worker";

    private const string Description = """
        Worker processes serve the same web pages, which take long to render, from
        one cache in shared memory: each page is rendered once for all of them,
        anew when an article on it changes, and by another worker if the one that
        is at it is killed. Every page is checked, and every rendering counted.

        Exit codes:
          0    all went well
          1    a wrong page, a rendering too many, a damaged heap, or a worker that failed
          2    wrong usage
          3    the heap cannot be created
          130  ended by Ctrl-C (128 + number for other signals)
        """;

    /// <summary>Makes the command.</summary>
    /// <param name="show">Runs the show.</param>
    /// <param name="worker">Runs a worker on a heap.</param>
    public static RootCommand Create(Func<ShowOptions, int> show, Func<string, int> worker)
    {
        Option<int> workers = Number("--workers", "How many worker processes, 2 to 64.", 4, 2, 64);
        Option<int> pages = Number("--pages", "How many pages they all ask for, 8 to 1000.", 24, 8, 1000);
        Option<int> render = Number("--render-ms", "How many milliseconds a page takes to render, 0 to 1000.", 20, 0, 1000);
        var heap = new Option<string?>("--heap") { HelpName = "path" };
        heap.Description = "The heap's file. It must not exist. [default: a new name below /dev/shm]";
        var json = new Option<bool>("--json") { Description = "Print the results as JSON." };
        var damage = new Option<bool>("--damage") { Description = "Damages a page, which must be found.", Hidden = true };
        var path = new Argument<string>("heap");
        Command hidden = new(WorkerCommand, "Runs a worker.") { path };
        hidden.Hidden = true;
        hidden.SetAction(parsed => worker(parsed.GetRequiredValue(path)));
        RootCommand command = new(Description) { workers, pages, render, heap, json, damage, hidden };
        command.SetAction(parsed => show(new ShowOptions(
            parsed.GetValue(workers),
            parsed.GetValue(pages),
            parsed.GetValue(render),
            parsed.GetValue(heap) ?? $"/dev/shm/shmalloc-pages-{Environment.ProcessId}-{Random.Shared.Next():x8}",
            parsed.GetValue(json),
            parsed.GetValue(damage))));
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
                result.AddError($"{name} must lie between {least} and {most}.");
            }
        });
        return option;
    }
}
