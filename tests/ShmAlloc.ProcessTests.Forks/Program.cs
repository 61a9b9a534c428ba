using System.Runtime.InteropServices;

namespace ShmAlloc.ProcessTests.Forks;

/// <summary>Ends with 0 if nothing was wrong, with 1 if something was, and with 2 when there is no such command.</summary>
internal static class Program
{
    private static readonly SortedDictionary<string, Func<string[], int>> Commands = new(StringComparer.Ordinal)
    {
        ["cache-flights"] = CacheFlightCommand.Run,
        ["cache-storm"] = CacheStormCommand.Run,
        ["points"] = PointCommand.Die,
        ["stops"] = PointCommand.Stop,
        ["storm"] = StormCommand.Run,
        ["visits"] = VisitCommand.Run,
    };

    private static int Main(string[] arguments)
    {
        if (Environment.GetEnvironmentVariable("DOTNET_EnableWriteXorExecute") != "0")
        {
            Console.Error.WriteLine("DOTNET_EnableWriteXorExecute=0 must be set: otherwise parent and children share the memory in which code is compiled.");
            return 2;
        }

        // A child cannot load anything.
        Marshal.PrelinkAll(typeof(Child));
        Worker.OrphanWatch.Start();
        Worker.Churn.EndProcess = Child.Exit;
        if (arguments is [var name, .. var rest] && Commands.TryGetValue(name, out var command))
        {
            return command(rest);
        }

        Console.Error.WriteLine($"usage: ShmAlloc.ProcessTests.Forks <{string.Join('|', Commands.Keys)}> path [arguments]");
        return 2;
    }
}
