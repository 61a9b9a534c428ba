using System.Text.RegularExpressions;

namespace ShmAlloc.Native.Tests;

/// <summary>Who calls whom in the library, from its disassembly: direct calls and jumps.</summary>
internal sealed partial class CallGraph
{
    private readonly Dictionary<string, List<string>> _callees = new(StringComparer.Ordinal);
    private readonly HashSet<string> _callsThroughPointers = new(StringComparer.Ordinal);
    private readonly HashSet<string> _usesThreadLocals = new(StringComparer.Ordinal);

    internal static async Task<CallGraph> ReadAsync(string library)
    {
        var result = await Command.RunAsync("objdump", ["-d", "--no-show-raw-insn", library]);
        CallGraph graph = new();
        var current = new List<string>();
        var name = "";
        foreach (var line in result.Output.Split('\n'))
        {
            var label = Label().Match(line);
            if (label.Success)
            {
                name = label.Groups[1].Value;
                current = [];
                graph._callees[name] = current;
                continue;
            }

            var instruction = line[(line.LastIndexOf('\t') + 1)..].Trim();
            var call = Call().Match(instruction);
            if (call.Success)
            {
                current.Add(call.Groups[1].Value);
            }
            else if (instruction.StartsWith("call", StringComparison.Ordinal) && instruction.Contains('*', StringComparison.Ordinal))
            {
                graph._callsThroughPointers.Add(name);
            }

            if (instruction.Contains("%fs:", StringComparison.Ordinal))
            {
                graph._usesThreadLocals.Add(name);
            }
        }

        return graph;
    }

    internal IReadOnlyCollection<string> Functions => _callees.Keys;

    internal bool CallsThroughPointer(string function) => _callsThroughPointers.Contains(function);

    internal bool UsesThreadLocals(string function) => _usesThreadLocals.Contains(function);

    /// <summary>All that is reached from some functions, each with a way that leads there.</summary>
    /// <param name="roots">Where to begin.</param>
    /// <param name="isLeaf">Functions that are not looked into.</param>
    internal Dictionary<string, string> Reach(IEnumerable<string> roots, Func<string, bool> isLeaf)
    {
        Dictionary<string, string> ways = new(StringComparer.Ordinal);
        Queue<(string Function, string Way)> queue = new(roots.Select(root => (root, root)));
        while (queue.TryDequeue(out var next))
        {
            if (!ways.TryAdd(next.Function, next.Way) || isLeaf(next.Function))
            {
                continue;
            }

            Assert.True(_callees.ContainsKey(next.Function), $"{next.Function} is not in the disassembly");
            foreach (var callee in _callees[next.Function].Where(callee => callee != next.Function))
            {
                queue.Enqueue((callee, $"{callee} <- {next.Way}"));
            }
        }

        return ways;
    }

    [GeneratedRegex("^[0-9a-f]+ <(.+)>:$")]
    private static partial Regex Label();

    [GeneratedRegex(@"^(?:bnd )?(?:call|j\w+) +[0-9a-f]+ <(.+?)(?:\+0x[0-9a-f]+)?>$")]
    private static partial Regex Call();
}
