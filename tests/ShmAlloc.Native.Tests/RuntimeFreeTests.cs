namespace ShmAlloc.Native.Tests;

/// <summary>
/// The gate: no function that the library exports reaches the .NET runtime, whose code is linked in but never started. That would allocate, throw,
/// use thread-local storage or wait for a collection, none of which is possible in a foreign process.
/// </summary>
public sealed class RuntimeFreeTests
{
    /// <summary>Our code, by the prefixes that the compiler gives the methods of our two assemblies.</summary>
    private static readonly string[] OurPrefixes = ["libshm_alloc_", "ShmAlloc_"];

    /// <summary>What else may be reached, and why that is harmless.</summary>
    private static readonly Dictionary<string, string> Allowed = new(StringComparer.Ordinal)
    {
        ["RhpGcPoll"] = "reads a word that only a running runtime sets, and returns",
        ["RhpFallbackFailFast"] = "ends the process when a buffer on the stack was overrun, as C's stack protector does",
        ["S_P_CoreLib_System_Math___BigMul_g__SoftwareFallback_48_0"] = "multiplies",
    };

    /// <summary>Functions of the C library that the library may call: system calls, and what reads or fills memory. None takes a lock.</summary>
    private static readonly HashSet<string> AllowedOfTheCLibrary = new(StringComparer.Ordinal)
    {
        "__errno_location", "clock_gettime", "close", "fallocate", "fchmod", "fcntl", "fstatfs", "ftruncate", "getauxval", "getcwd", "geteuid", "getpid",
        "getrandom", "getrlimit", "gettid", "ioctl", "linkat", "lseek", "madvise", "memcmp", "memcpy", "memset", "mmap", "mprotect", "munmap", "nanosleep", "open", "pread",
        "pthread_self", "renameat2", "sched_yield", "secure_getenv", "statx", "syscall", "uname", "unlink",
    };

    public static TheoryData<string> Libraries => [.. Locations.Libraries.Select(path => Path.GetRelativePath(Locations.LibraryDirectory, path))];

    [Theory]
    [MemberData(nameof(Libraries))]
    public async Task No_export_reaches_the_runtime(string library)
    {
        var (graph, roots) = await ReadAsync(library);
        var reached = graph.Reach(roots, function => !IsOurs(function, roots));
        var forbidden = reached.Where(entry => !IsOurs(entry.Key, roots) && !IsAllowed(entry.Key)).Select(entry => entry.Value).ToList();
        Assert.True(forbidden.Count == 0, string.Join('\n', forbidden));
        Assert.True(reached.Count > 100, "The graph is that of the library, and not empty.");
    }

    [Theory]
    [MemberData(nameof(Libraries))]
    public async Task Nothing_that_an_export_reaches_calls_through_a_pointer_or_uses_thread_local_storage(string library)
    {
        var (graph, roots) = await ReadAsync(library);
        var ours = graph.Reach(roots, function => !IsOurs(function, roots)).Where(entry => IsOurs(entry.Key, roots)).ToList();
        var offenders = ours.Where(entry => graph.CallsThroughPointer(entry.Key) || graph.UsesThreadLocals(entry.Key)).Select(entry => entry.Value).ToList();
        Assert.True(offenders.Count == 0, string.Join('\n', offenders));
    }

    [Fact]
    public async Task Whatever_is_allowed_is_reached()
    {
        var (graph, roots) = await ReadAsync();
        var reached = graph.Reach(roots, function => !IsOurs(function, roots));
        Assert.All(Allowed.Keys, name => Assert.Contains(name, (IDictionary<string, string>)reached));
        Assert.All(AllowedOfTheCLibrary, name => Assert.Contains(name + "@plt", (IDictionary<string, string>)reached));
    }

    /// <summary>The gate sees what it should: the runtime's own entry to a thrown exception reaches forbidden helpers.</summary>
    [Fact]
    public async Task The_gate_would_notice_a_thrown_exception()
    {
        var (graph, roots) = await ReadAsync();
        var thrower = graph.Functions.First(function => function.EndsWith("ThrowHelpers__ThrowIndexOutOfRangeException", StringComparison.Ordinal));
        var reached = graph.Reach([thrower], function => function != thrower);
        Assert.Contains(reached.Keys, function => !IsOurs(function, roots) && !IsAllowed(function));
    }

    private static async Task<(CallGraph Graph, HashSet<string> Roots)> ReadAsync(string library = "libshm_alloc.so")
    {
        var path = Path.Combine(Path.GetDirectoryName(Locations.Library)!, library);
        var graph = await CallGraph.ReadAsync(path);
        var names = await Command.RunAsync("nm", ["-D", "--defined-only", path]);
        var roots = names.Output.Split('\n').Where(line => line.Contains(" T ", StringComparison.Ordinal)).Select(line => line.Split(' ')[^1].Split('@')[0]);

        // What runs at load is not exported.
        return (graph, [.. roots, graph.Functions.Single(function => function.EndsWith("_Lifetime__Load", StringComparison.Ordinal))]);
    }

    private static bool IsOurs(string function, HashSet<string> roots) =>
        roots.Contains(function) || OurPrefixes.Any(prefix => function.StartsWith(prefix, StringComparison.Ordinal));

    private static bool IsAllowed(string function) =>
        Allowed.ContainsKey(function)
        || (function.EndsWith("@plt", StringComparison.Ordinal) && AllowedOfTheCLibrary.Contains(function[..^"@plt".Length]));
}
