namespace ShmAlloc.Native.Tests;

/// <summary>A .NET process that answers a list of questions and ends.</summary>
internal static class Worker
{
    /// <summary>Its output has "ready" and then one line for each question.</summary>
    internal static Task<CommandResult> RunAsync(IEnumerable<string> questions, params (string Name, string Value)[] environment) =>
        RunAsync([], questions, environment);

    /// <param name="launcher">Starts it: the words of its command line follow.</param>
    /// <param name="questions">Lines of input.</param>
    /// <param name="environment">More variables.</param>
    internal static Task<CommandResult> RunAsync(
        string[] launcher, IEnumerable<string> questions, params (string Name, string Value)[] environment)
    {
        string[] words = [.. launcher, Locations.RuntimeHost, "exec", Locations.WorkerAssembly, "heap"];
        return Command.RunAsync(words[0], words[1..], string.Join('\n', questions) + '\n', environment);
    }
}
