namespace ShmAlloc.ProcessTests.Worker;

/// <summary>
/// One process that a test starts, drives over its standard input and output, and stops or kills when it likes.
/// It ends with 0 when its command is done, and with 2 when there is no such command.
/// </summary>
internal static class Program
{
    /// <summary>Every command takes the arguments after its name and returns the exit code.</summary>
    private static readonly SortedDictionary<string, Func<string[], int>> Commands = new(StringComparer.Ordinal)
    {
        ["echo"] = EchoCommand.Run,
        ["heap"] = HeapCommand.Run,
    };

    private static int Main(string[] arguments)
    {
        OrphanWatch.Start();
        OtherLibc.UseIfWanted();
        if (arguments is [var name, .. var rest] && Commands.TryGetValue(name, out var command))
        {
            return command(rest);
        }

        Console.Error.WriteLine("usage: ShmAlloc.ProcessTests.Worker <command> [arguments]");
        Console.Error.WriteLine($"commands: {string.Join(", ", Commands.Keys)}");
        return 2;
    }
}
