namespace ShmAlloc.Simulation.Programs;

/// <summary>One operation that a program can contain.</summary>
/// <param name="Name">What it is called.</param>
/// <param name="Body">What it does; the number keeps the names of two threads apart.</param>
/// <param name="Prepare">What must be there before.</param>
internal sealed record Operation(string Name, Action<Actor, int> Body, Action<Actor, int>? Prepare = null)
{
    /// <summary>Whether its participant joins only when it runs.</summary>
    internal bool BeginsOutside { get; init; }
}

/// <summary>The operations of a heap, each in a world of six blocks of 64 units in two words.</summary>
internal static class Operations
{
    private const int InWord = 4;
    private const int Crossing = 40;
    private const int Run = 128;

    /// <summary>The last block, where the first small allocation goes.</summary>
    private const int SeedBlock = 5;

    internal static readonly Operation MallocWord = new("malloc in one word", (actor, n) => actor.Malloc(InWord, $"m{n}"));
    internal static readonly Operation MallocCrossing = new("malloc crossing", (actor, n) => actor.Malloc(Crossing, $"m{n}"));
    internal static readonly Operation MallocRun = new("malloc of a run", (actor, n) => actor.Malloc(Run, $"m{n}"));
    internal static readonly Operation Calloc = new("calloc", (actor, n) => actor.Calloc(Crossing, $"m{n}"));

    internal static readonly Operation CallocWord = new("calloc in one word", (actor, n) => actor.Calloc(InWord, $"m{n}"));

    internal static readonly Operation FreeWord =
        new("free in one word", (actor, n) => actor.Free($"f{n}"), (actor, n) => actor.Malloc(InWord, $"f{n}"));

    internal static readonly Operation FreeCrossing =
        new("free crossing", (actor, n) => actor.Free($"f{n}"), (actor, n) => actor.Malloc(Crossing, $"f{n}"));

    internal static readonly Operation FreeRun =
        new("free of a run", (actor, n) => actor.Free($"f{n}"), (actor, n) => actor.Malloc(Run, $"f{n}"));

    internal static readonly Operation Reserve = new("reserve", (actor, n) => actor.Reserve(Crossing, $"r{n}"));

    internal static readonly Operation ReserveWord = new("reserve in one word", (actor, n) => actor.Reserve(InWord, $"r{n}"));

    internal static readonly Operation ReserveRun = new("reserve a run", (actor, n) => actor.Reserve(Run, $"r{n}").Publish($"r{n}"));

    internal static readonly Operation Publish =
        new("publish", (actor, n) => actor.Publish($"r{n}"), (actor, n) => actor.Reserve(Crossing, $"r{n}"));

    internal static readonly Operation Abandon =
        new("abandon", (actor, n) => actor.Abandon($"r{n}"), (actor, n) => actor.Reserve(Crossing, $"r{n}"));

    internal static readonly Operation AbandonRun =
        new("abandon a run", (actor, n) => actor.Abandon($"r{n}"), (actor, n) => actor.Reserve(Run, $"r{n}"));

    internal static readonly Operation Adopt = new("adopt", (actor, _) => actor.Adopt(SeedBlock));
    internal static readonly Operation Sweep = new("sweep", (actor, _) => actor.Sweep(SeedBlock));
    internal static readonly Operation Close = new("close", (actor, _) => actor.Close(SeedBlock));
    internal static readonly Operation Open = new("open", (actor, _) => actor.Open(0));
    internal static readonly Operation FreeBlocks = new("free blocks", (actor, _) => actor.FreeBlocks());
    internal static readonly Operation Grow = new("grow", (actor, _) => actor.Grow());
    internal static readonly Operation Attach = new("attach", (actor, _) => actor.Attach()) { BeginsOutside = true };
    internal static readonly Operation Detach = new("detach", (actor, _) => actor.Detach());
    internal static readonly Operation Recover = new("recover", (actor, _) => actor.Recover());
    internal static readonly Operation Verify = new("verify", (actor, _) => actor.Verify());


    internal static readonly Operation Look =
        new("statistics and usable size", (actor, n) => actor.Look($"f{n}"), (actor, n) => actor.Malloc(Run, $"f{n}"));

    /// <summary>A whole word, so that the free has to look at the word before.</summary>
    internal static readonly Operation FreeWholeWord =
        new("free of a whole word", (actor, n) => actor.Free($"f{n}"), (actor, n) => actor.Malloc(32, $"f{n}"));

    internal static readonly Operation[] All =
    [
        MallocWord, MallocCrossing, MallocRun, Calloc, CallocWord, FreeWord, FreeCrossing, FreeRun, Reserve, ReserveWord, ReserveRun, Publish, Abandon, AbandonRun,
        Adopt, Sweep, Close, Open, FreeBlocks, Grow, Attach, Detach, Recover, Verify, Look, FreeWholeWord,
    ];
}
