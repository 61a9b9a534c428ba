using System.Globalization;
using System.Text.Json;
using PageCache.Scenes;
using PageCache.Site;
using ShmAlloc.Caching;
using Spectre.Console;

namespace PageCache;

/// <summary>Tells what happens: scene by scene for people, on 80 columns, or all of it at the end as JSON.</summary>
internal sealed class Report(ShowOptions options)
{
    private static readonly JsonSerializerOptions Web = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    private readonly List<Scene> _scenes = [];

    public void Begin(Stage stage)
    {
        if (!options.Json)
        {
            double capacity = stage.Heap.GetStatistics().CapacityBytes / (double)(1 << 20);
            AnsiConsole.WriteLine(Text(
                $"{options.Workers} worker processes and one heap of {capacity:0.0} MiB. {options.Pages} pages of {Stage.PageBytes >> 10} KiB,"));
            AnsiConsole.WriteLine(Text(
                $"each with {Articles.OnEachPage} of {Articles.Count} articles on it, and {options.RenderMilliseconds} ms of work."));
        }
    }

    public void Add(Scene scene)
    {
        _scenes.Add(scene);
        if (options.Json)
        {
            return;
        }

        string needed = scene.Needed is { } count ? $" (needed: {Count(count)})" : "";
        string color = scene.Failures.Count == 0 ? "green" : "red";
        AnsiConsole.WriteLine();
        AnsiConsole.MarkupLine($"[bold]{_scenes.Count}. {Markup.Escape(scene.Title)}[/]");
        AnsiConsole.MarkupLine($"   {Count(scene.Asked)} times asked, [bold {color}]{Count(scene.Rendered)} times rendered{needed}[/]");
        AnsiConsole.Write(new Padder(new Markup($"[grey]{Markup.Escape(scene.Text)}[/]"), new Padding(3, 0, 0, 0)));
        Complain(scene.Failures);
    }

    /// <returns>Whether all is well.</returns>
    public bool End(Ending ending)
    {
        string[] failures = [.. _scenes.SelectMany(scene => scene.Failures), .. ending.Failures];
        if (options.Json)
        {
            Console.WriteLine(JsonSerializer.Serialize(new { Ok = failures.Length == 0, failures, Scenes = _scenes, ending.Cache, ending.Violations }, Web));
            return failures.Length == 0;
        }

        CacheStatistics cache = ending.Cache;
        Table table = new Table().Border(TableBorder.Rounded).AddColumn("").AddColumn("").HideHeaders();
        table.AddRow("Gets", Text($"{Count(cache.Hits)} hits, {Count(cache.Misses)} misses (each look of those who wait is one)"));
        table.AddRow("Sets", Text($"{Count(cache.Sets)}; {Count(cache.Expirations)} dropped after their time or their tag"));
        table.AddRow("Evictions", Text($"{Count(cache.EvictionsForRoom)} for room, {Count(cache.EvictionsForEntry)} for a place in the index"));
        table.AddRow("Now", Text($"{Count(cache.Entries)} of {Count(cache.Capacity)} entries, {cache.Bytes / (double)(1 << 20):0.00} MiB"));
        table.AddRow("Verify", Text($"{Count(ending.Allocations)} allocations walked, {ending.Violations.Count} violations"));
        AnsiConsole.WriteLine();
        AnsiConsole.Write(table);
        Complain(ending.Failures);
        AnsiConsole.MarkupLine(failures.Length == 0 ? "[bold green]All is well.[/]" : "[bold red]FAILED.[/]");
        return failures.Length == 0;
    }

    private static void Complain(IReadOnlyList<string> failures)
    {
        const int listed = 10;
        foreach (string failure in failures.Take(listed))
        {
            AnsiConsole.MarkupLine($"   [red]{Markup.Escape(failure)}[/]");
        }

        if (failures.Count > listed)
        {
            AnsiConsole.MarkupLine($"   [red]... and {Count(failures.Count - listed)} more.[/]");
        }
    }

    private static string Count(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static string Text(FormattableString text) => FormattableString.Invariant(text);
}
