namespace ShmAlloc.ProcessTests.Forks;

/// <summary>What a worker of a storm does with a cache.</summary>
internal enum CacheDeed
{
    Get,
    Mark,
    Lease,
    Set,
    Commit,
    Abandon,
    Add,
    Replace,
    Remove,
    Increment,
    Compute,
    Wait,
    Fail,
    Land,

    Refused,

    /// <summary>Only where a cache may forget, like what follows.</summary>
    RemoveTag,
    FallBack,
}

/// <summary>What all workers share beside heap and history, on the board.</summary>
internal static class CacheTally
{
    private const int RoundWord = 8;
    private const int FirstProgressWord = 16;
    private const int FirstNumberWord = 32;
    private const int FirstDeedWord = 48;
    private const long Expiring = 8;
    private const long Sliding = 16;

    /// <summary>Counts up with every kill, and lets everybody do so many operations more.</summary>
    internal static ref long Round => ref Board.Word(RoundWord);

    internal static long ProgressOf(int worker) => Volatile.Read(ref Board.Word(FirstProgressWord + worker));

    internal static void NoteProgress(int worker) => Interlocked.Increment(ref Board.Word(FirstProgressWord + worker));

    /// <summary>Another one each time, whoever dies; it says whether its value expires, and whether it slides.</summary>
    internal static long NextNumber(int worker, bool expires, bool slides) =>
        (Interlocked.Increment(ref Board.Word(FirstNumberWord + worker)) << 5) | (expires ? Expiring : 0) | (expires && slides ? Sliding : 0) | (uint)worker;

    internal static bool Expires(long number) => (number & Expiring) != 0;

    internal static bool Slides(long number) => (number & Sliding) != 0;

    internal static void Note(CacheDeed deed) => Interlocked.Increment(ref Board.Word(FirstDeedWord + (int)deed));

    internal static void ForgetDeeds() => Enum.GetValues<CacheDeed>().ToList().ForEach(deed => Board.Word(FirstDeedWord + (int)deed) = 0);

    internal static IEnumerable<(CacheDeed Deed, long Count)> Deeds() =>
        Enum.GetValues<CacheDeed>().Select(deed => (deed, Volatile.Read(ref Board.Word(FirstDeedWord + (int)deed))));
}
