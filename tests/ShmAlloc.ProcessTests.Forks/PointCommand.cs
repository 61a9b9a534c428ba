using System.Diagnostics;
using System.Globalization;

namespace ShmAlloc.ProcessTests.Forks;

/// <summary>
/// <c>points path</c>: runs each script once and notes its checkpoints; then, for each of them, a process that dies exactly there, and
/// examines what it left. Prints the checkpoints by name, and every fault with the script and the number that show it.
/// </summary>
internal static class PointCommand
{
    private const uint LongestLifeSeconds = 30;

    /// <param name="arguments">The path; the name of a script and the number of a checkpoint, to try just that.</param>
    internal static int Run(string[] arguments)
    {
        var path = arguments[0];
        if (arguments is [_, var name, var number])
        {
            var script = Scripts.All.Single(script => script.Name == name);
            var found = Play(script, path, Note(script, path), int.Parse(number, CultureInfo.InvariantCulture) - 1);
            Console.WriteLine(found.Count == 0 ? "well" : string.Join('\n', found));
            return found.Count == 0 ? 0 : 1;
        }

        return RunAll(path);
    }

    private static int RunAll(string path)
    {
        var faults = 0;
        var deaths = 0;
        var reached = new SortedSet<string>(StringComparer.Ordinal);
        var watch = Stopwatch.StartNew();
        foreach (var script in Scripts.All)
        {
            var checkpoints = Note(script, path);
            for (var index = 0; index < checkpoints.Count; index++, deaths++)
            {
                var found = Play(script, path, checkpoints, index);
                found.ForEach(fault => Console.WriteLine($"fault: {script.Name} {index + 1} ({checkpoints[index]}): {fault}"));
                faults += found.Count;
            }

            reached.UnionWith(checkpoints.Select(checkpoint => checkpoint.ToString()));
            Console.WriteLine($"script: {script.Name}: {checkpoints.Count} deaths");
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Console.WriteLine(string.Join('\n', reached.Select(checkpoint => $"checkpoint: {checkpoint}")));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{deaths} deaths at {reached.Count} checkpoints in {watch.Elapsed.TotalSeconds:f1} s, {faults} faults"));
        return faults == 0 ? 0 : 1;
    }

    /// <summary>In this process, which thereby compiles all that its children will need.</summary>
    private static List<Checkpoint> Note(Script script, string path)
    {
        var scene = new Scene(path);
        using var heap = Prepare(script, path, scene);
        var checkpoints = Checkpoints.Note(() =>
        {
            var client = Client.Attach(path);
            script.Run(client);
        });
        scene.GiveSlotsBack();
        File.Delete(path);
        return checkpoints;
    }

    private static List<string> Play(Script script, string path, List<Checkpoint> checkpoints, int index)
    {
        var scene = new Scene(path);
        using var heap = Prepare(script, path, scene);
        var child = Child.Start(LongestLifeSeconds, () =>
        {
            Checkpoints.DieAt(index + 1);
            script.Run(Client.Attach(path));
        });
        var end = Child.End(child);
        scene.GiveSlotsBack();
        var faults = Judge.Examine(heap, Board.Word(Client.BeforeWord), Board.Word(Client.AfterWord));
        if (end != Child.Killed)
        {
            faults.Add($"the process ended with {end}");
        }
        else if (!Checkpoints.WasDeathAt(checkpoints[index]))
        {
            faults.Add("the process died elsewhere");
        }

        File.Delete(path);
        return faults;
    }

    private static ShmHeap Prepare(Script script, string path, Scene scene)
    {
        var heap = script.CreateHeap(path);
        Board.Word(Client.BeforeWord) = 0;
        script.Prepare(heap, scene);
        var published = heap.GetStatistics().UsedBytes / heap.UnitBytes;
        Board.Word(Client.BeforeWord) = published;
        Board.Word(Client.AfterWord) = published;
        return heap;
    }
}
