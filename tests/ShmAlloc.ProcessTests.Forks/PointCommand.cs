using System.Diagnostics;
using System.Globalization;

namespace ShmAlloc.ProcessTests.Forks;

/// <summary>
/// <c>points path</c>: runs each script once and notes its checkpoints; then, for each of them, a process that dies exactly there, and
/// examines what it left. <c>stops path</c>: the process stops there, everything is looked at and used meanwhile, and it goes on to its end:
/// once when all is free again, and once while everything stays taken. Prints the checkpoints by name, and every fault with the script and the number that show it.
/// </summary>
internal sealed class PointCommand(string path, bool onlyStops)
{
    private const uint LongestLifeSeconds = 3600;

    /// <param name="arguments">
    /// The path; the name of a script and the number of a checkpoint, to try just that; or only a number, to try every checkpoint of so many.
    /// </param>
    internal static int Die(string[] arguments) => new PointCommand(arguments[0], onlyStops: false).Run(arguments);

    /// <param name="arguments">The same.</param>
    internal static int Stop(string[] arguments) => new PointCommand(arguments[0], onlyStops: true).Run(arguments);

    private int Run(string[] arguments)
    {
        if (arguments is [_, var name, var number])
        {
            var script = Scripts.All.Single(script => script.Name == name);
            var found = Play(script, Note(script), int.Parse(number, CultureInfo.InvariantCulture) - 1);
            Console.WriteLine(found.Count == 0 ? "well" : string.Join('\n', found));
            return found.Count == 0 ? 0 : 1;
        }

        return RunAll(arguments is [_, var every] ? int.Parse(every, CultureInfo.InvariantCulture) : 1);
    }

    private int RunAll(int every)
    {
        var faults = 0;
        var ends = 0;
        var reached = new SortedSet<string>(StringComparer.Ordinal);
        var watch = Stopwatch.StartNew();
        foreach (var script in Scripts.All)
        {
            var checkpoints = Note(script);
            for (var index = ends % every; index < checkpoints.Count; index += every, ends++)
            {
                var found = Play(script, checkpoints, index);
                found.ForEach(fault => Console.WriteLine($"fault: {script.Name} {index + 1} ({checkpoints[index]}): {fault}"));
                faults += found.Count;
            }

            reached.UnionWith(checkpoints.Select(checkpoint => checkpoint.ToString()));
            Console.WriteLine($"script: {script.Name}: {checkpoints.Count} checkpoints");
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        Console.WriteLine(string.Join('\n', reached.Select(checkpoint => $"checkpoint: {checkpoint}")));
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{ends} {(onlyStops ? "stops" : "deaths")} at {reached.Count} checkpoints in {watch.Elapsed.TotalSeconds:f1} s, {faults} faults"));
        return faults == 0 ? 0 : 1;
    }

    /// <summary>In this process, which thereby compiles all that its children will need.</summary>
    private List<Checkpoint> Note(Script script)
    {
        var scene = new Scene(path);
        using var heap = Prepare(script, scene);
        var checkpoints = Checkpoints.Note(() =>
        {
            var client = Client.Attach(path);
            script.Run(client);
        });
        scene.GiveSlotsBack();
        File.Delete(path);
        return checkpoints;
    }

    private List<string> Play(Script script, List<Checkpoint> checkpoints, int index) => onlyStops
        ? [.. Play(script, checkpoints, index, keep: false), .. Play(script, checkpoints, index, keep: true)]
        : Play(script, checkpoints, index, keep: false);

    private List<string> Play(Script script, List<Checkpoint> checkpoints, int index, bool keep)
    {
        var scene = new Scene(path);
        using var heap = Prepare(script, scene);
        Action<long> end = onlyStops ? Checkpoints.StopAt : Checkpoints.DieAt;
        var child = Child.Start(LongestLifeSeconds, () =>
        {
            end(index + 1);
            script.Run(Client.Attach(path));
        });
        var faults = new List<string>();
        var taken = onlyStops ? LookAt(heap, child, keep, faults) : [];
        if (Child.End(child) is var ended && ended != (onlyStops ? Child.OrderlyExit : Child.Killed))
        {
            faults.Add($"the process ended with {ended}");
        }
        else if (!Checkpoints.WasDeathAt(checkpoints[index]))
        {
            faults.Add("the process died or stopped elsewhere");
        }

        Looking.GiveBack(heap, taken, faults);
        scene.GiveSlotsBack();
        faults.AddRange(Judge.Examine(heap, Board.Word(Client.BeforeWord), Board.Word(Client.AfterWord)));
        File.Delete(path);
        return faults;
    }

    private static List<ShmOffset> LookAt(ShmHeap heap, int child, bool keep, List<string> faults)
    {
        if (!Child.AwaitStop(child))
        {
            throw new InvalidOperationException("The process did not stop.");
        }

        var taken = Looking.AtStandstill(heap, faults);
        if (!keep)
        {
            Looking.GiveBack(heap, taken, faults);
            taken.Clear();
        }

        Child.Continue(child);
        return taken;
    }

    private unsafe ShmHeap Prepare(Script script, Scene scene)
    {
        var heap = script.CreateHeap(path);
        heap.Attachment->MaxTurns = Client.MaxTurns;
        Board.Word(Client.BeforeWord) = 0;
        script.Prepare(heap, scene);
        var published = heap.GetStatistics().UsedBytes / heap.UnitBytes;
        Board.Word(Client.BeforeWord) = published;
        Board.Word(Client.AfterWord) = published;
        return heap;
    }
}
