using System.Globalization;
using System.Text.Json;

namespace Workers.Showing;

/// <summary>Tells what happens: scene by scene for people, on 80 columns, or all of it at the end as JSON.</summary>
internal sealed class Report(ShowOptions options)
{
    private static readonly JsonSerializerOptions Web = new(JsonSerializerDefaults.Web) { WriteIndented = true };

    private readonly List<Scene> _scenes = [];

    public void Begin(Stage stage)
    {
        string workers = string.Join(", ", stage.Workers.Select(worker => worker.Id));
        Say($"Processes {workers} listen on one port: http://127.0.0.1:{stage.Port}/");
        Say($"shows their figures while this runs. A read of the service behind takes {options.ReadMilliseconds} ms.\n");
        Say(Row("", "asked", "read", "needed", "stale", "ms"));
    }

    public void Add(Scene scene)
    {
        _scenes.Add(scene);
        Say(Row(scene.Title, Count(scene.Asked), Count(scene.Read), Count(scene.Needed), Count(scene.Stale), Count((long)scene.Milliseconds)));
    }

    /// <returns>Whether all is well.</returns>
    public bool End(LoadResult load, IReadOnlyDictionary<int, IReadOnlyDictionary<string, double>> figures, bool isPageWhole)
    {
        bool isWell = _scenes.TrueForAll(scene => scene.IsWell) && load.Stale == 0 && isPageWhole;
        if (options.Json)
        {
            Console.WriteLine(JsonSerializer.Serialize(new { Ok = isWell, Scenes = _scenes, load, figures, isPageWhole }, Web));
            return isWell;
        }

        Say($"\nLoad for {load.Seconds:0.0} s: {Count((long)(load.Requests / load.Seconds))} answers/s of all workers, {Count(load.Changes)} changes,");
        Say($"{Count(load.Reads)} reads, {Count(load.Stale)} answers that were too old.\n");
        Say($"{"meter ShmAlloc.Caching",-40}{string.Concat(figures.Keys.Select(process => $"{process,10}"))}{"sum",10}");
        foreach (string name in figures.Values.SelectMany(worker => worker.Keys).Distinct().Order(StringComparer.Ordinal))
        {
            double[] values = [.. figures.Values.Select(worker => worker.GetValueOrDefault(name))];

            // What belongs to the host each worker tells the same of: no sum.
            bool isOfHost = name.StartsWith("shmalloc.heap.", StringComparison.Ordinal);
            Say($"{name,-40}{string.Concat(values.Select(value => Figure(name, value)))}{(isOfHost ? "" : Figure(name, values.Sum()))}");
        }

        Say(isWell ? "\nAll is well." : "\nFAILED: articles were read too often, or answers were too old.");
        return isWell;
    }

    private void Say(FormattableString line) => Say(FormattableString.Invariant(line));

    private void Say(string line)
    {
        if (!options.Json)
        {
            Console.WriteLine(line.TrimEnd(' '));
        }
    }

    private static string Row(string title, params string[] figures) =>
        $"{title,-45}{string.Concat(figures.Select(figure => figure.PadLeft(7)))}";

    private static string Figure(string name, double value)
    {
        const double mebibyte = 1 << 20;
        return (name == "shmalloc.heap.committed" ? $"{Count((long)(value / mebibyte))} MiB" : Count((long)value)).PadLeft(10);
    }

    private static string Count(long number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
