using System.Globalization;

namespace ShmAlloc.Benchmarks.Caches.Alone;

/// <summary>What is measured of this cache alone.</summary>
internal static class AloneCatalogue
{
    internal const string Marks = "IsCurrent of 64 marks that are asked about again and again";
    internal const string NoDeadline = "no deadline";
    internal const string Deadline = "a deadline";
    internal const string TwoTags = "two tags";
    internal const string Single = "one get each";
    internal const string Many = "GetMany of 32 keys, per key";
    internal const string Small = "100 B";
    internal const string Large = "64 KiB";
    internal const string Limited = "1000 B";
    internal const string Refused = "a set that a heap of 1 GiB full of pinned items refuses, 99 %";
    internal const string Limit = "a set in a cache with a limit of 4 MiB in a full heap of 512 MiB, 99.9 %";
    internal const long FewKeys = 100_000;
    internal const long ManyKeys = 10_000_000;

    private const long Mib = 1L << 20;

    /// <summary>Calls of a round, where each is timed.</summary>
    private const long Calls = 20_000;

    internal static IReadOnlyList<AloneGroup> Full => [IsCurrent(), GetMany(FewKeys), GetMany(ManyKeys), NoRoom(1024, Calls), AtLimit(512, Calls)];

    internal static IReadOnlyList<AloneGroup> Quick => [IsCurrent(), GetMany(FewKeys), NoRoom(1024, Calls), AtLimit(512, Calls)];

    internal static IReadOnlyList<AloneGroup> Smoke => [IsCurrent(), GetMany(500), NoRoom(8, 100), AtLimit(16, 100)];

    internal static string TitleOf(long keys) => string.Create(CultureInfo.InvariantCulture, $"get 100 B, {keys:N0} keys, uniform");

    private static AloneGroup IsCurrent() => new(
        Marks,
        Mib,
        [
            new(NoDeadline, "work=marks heap=8 deadline=0 tags=0"), new(Deadline, "work=marks heap=8 deadline=1 tags=0"),
            new(TwoTags, "work=marks heap=8 deadline=0 tags=2"),
        ]);

    private static AloneGroup GetMany(long keys)
    {
        // As in the cache beside others: half as much again as the items need.
        const long bytesOfItem = 253;
        long heapMib = (keys * bytesOfItem * 3 / 2 / Mib) + 32;
        return new(
            TitleOf(keys),
            heapMib * Mib,
            [new(Single, $"work=gets heap={heapMib} keys={keys} many=0"), new(Many, $"work=gets heap={heapMib} keys={keys} many=1")]);
    }

    private static AloneGroup NoRoom(long heapMib, long operations) => new(
        Refused,
        heapMib * Mib,
        [
            new(Small, $"work=refused heap={heapMib} value=100 percent=99", operations),
            new(Large, $"work=refused heap={heapMib} value=65536 percent=99", operations),
        ]);

    private static AloneGroup AtLimit(long heapMib, long operations) =>
        new(Limit, heapMib * Mib, [new(Limited, $"work=limited heap={heapMib} value=1000 percent=99.9", operations)]);
}
