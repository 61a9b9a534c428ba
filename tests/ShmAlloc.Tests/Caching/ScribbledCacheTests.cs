using System.Runtime.InteropServices;
using CsCheck;
using ShmAlloc.Caching;
using ShmAlloc.Layout;
using ShmAlloc.Tests.Files;
using ShmAlloc.Tests.Inspection;
using ShmAlloc.TestSupport;

namespace ShmAlloc.Tests.Caching;

/// <summary>
/// Somebody scribbled over directory, table, index or items of a cache: it may lose entries, or refuse to be opened; it never faults, hangs, or throws
/// anything else.
/// </summary>
public sealed class ScribbledCacheTests
{
    private static readonly ShmHeapOptions[] Options =
    [
        new() { SizeBytes = 64 << 10, MaximumSizeBytes = 256 << 10, MaxParticipants = 3, BlockBytes = 4096 },
        new() { SizeBytes = 32 << 10, UnitBytes = 16, BlockBytes = 512, MaxParticipants = 2 },
        new() { SizeBytes = 512 << 10, UnitBytes = 64, BlockBytes = 64 << 10, MaxParticipants = 5 },
    ];

    private static readonly ulong[] Extremes = [0, ulong.MaxValue, 1UL << 63, 1UL << 62, 0xFFFF_FFFF];

    private static readonly byte[][] Samples = [.. Options.Select(options => RawHeapFile.Sample(options, Populate))];

    public enum Region
    {
        Directory,
        Table,
        Index,
        Items,
        Bitmaps,
    }

    [Theory]
    [InlineData(Region.Directory)]
    [InlineData(Region.Table)]
    [InlineData(Region.Index)]
    [InlineData(Region.Items)]
    [InlineData(Region.Bitmaps)]
    public void A_scribbled_file_is_refused_or_used(Region region) => Scribbles(region).Sample(
        scribble =>
        {
            var content = (byte[])Samples[scribble.Heap].Clone();
            scribble.Apply(content, region);
            using RawHeapFile file = new(content);
            using var heap = RawHeapFile.AttachScribbled(file.Path);
            CacheExercise.OpenAndUse(heap, scribble.Seed);
        },
        iter: Effort.Choose(40, 400, 10_000),
        threads: 1);

    [Theory]
    [InlineData(Region.Directory)]
    [InlineData(Region.Table)]
    [InlineData(Region.Index)]
    [InlineData(Region.Items)]
    [InlineData(Region.Bitmaps)]
    public void Scribbling_under_an_open_cache_loses_entries_at_most(Region region) => Scribbles(region).Sample(
        scribble =>
        {
            using RawHeapFile file = new(Samples[scribble.Heap]);
            using var heap = RawHeapFile.AttachScribbled(file.Path);
            using var reader = ShmHeap.AttachReadOnly(file.Path);
            var cache = SharedCache.Open(heap, "scribbled");
            cache.Lease("key 3"u8, out var lease);
            scribble.ApplyToFile(file.Path, region);
            CacheExercise.Use(cache, scribble.Seed);
            CacheExercise.OpenAndUse(reader, scribble.Seed);
            lease.Dispose();
        },
        iter: Effort.Choose(20, 200, 10_000),
        threads: 1);

    [Theory]
    [InlineData(Region.Directory)]
    [InlineData(Region.Table)]
    [InlineData(Region.Index)]
    [InlineData(Region.Items)]
    [InlineData(Region.Bitmaps)]
    public void A_scribbled_file_is_looked_into(Region region) => Scribbles(region).Sample(
        scribble =>
        {
            var content = (byte[])Samples[scribble.Heap].Clone();
            scribble.Apply(content, region);
            using RawHeapFile file = new(content);
            using var reader = ShmHeap.AttachReadOnly(file.Path, new() { AllowCopy = true });
            Inspections.Do(reader);
        },
        iter: Effort.Choose(100, 1000, 20_000),
        threads: 1);

    private static void Populate(ShmHeap heap)
    {
        var cache = SharedCache.Open(heap, "scribbled", new() { Capacity = 28, TagSlots = 8, Checksums = heap.UnitBytes == 64 });
        for (var number = 0; number < 24; number++)
        {
            CacheEntryOptions options = (number % 4) switch
            {
                0 => default,
                1 => new() { SlidingExpiration = TimeSpan.FromHours(1) },
                2 => new() { Tags = (string[])["one", "two"] },
                _ => new() { Pinned = true, Lifetime = TimeSpan.FromDays(1) },
            };
            cache.Set($"key {number}", TestCache.Value(number * 40, number), options);
        }

        heap.Malloc(700);
    }

    private static Gen<Scribble> Scribbles(Region region) =>
        from heap in Gen.Int[0, Options.Length - 1]
        let size = RegionOf(Samples[heap], region).Length
        from words in Gen.Select(Gen.Int[0, (size / 8) - 1], Words(region, Samples[heap])).Array[1, 24]
        from seed in Gen.Int[0, 1 << 20]
        select new Scribble(heap, words, seed);

    /// <summary>Words of any bits, and words that nearly make sense: those get further.</summary>
    private static Gen<ulong> Words(Region region, byte[] content)
    {
        var units = (ulong)content.Length >> (int)RawHeapFile.Header(content).UnitShift;
        var plausible = region switch
        {
            Region.Directory => Gen.ULong[0, (ulong)content.Length / 16].Select(value => value * 16),
            Region.Index => Gen.Select(Gen.ULong[0, 0xFFF_FFF], Gen.ULong[0, units], (high, unit) => (high << 36) | unit),
            Region.Items => Gen.Select(
                Gen.ULong[0, 31],
                Gen.ULong[0, 0xFF],
                Gen.ULong[0, 0xFFFF],
                Gen.ULong[0, 1 << 20],
                (flags, tags, key, value) => flags | tags << 8 | key << 16 | value << 32),
            _ => Gen.ULong[0, 1 << 10],
        };
        return Gen.Frequency((2, plausible), (1, Gen.ULong), (1, Gen.Int[0, Extremes.Length - 1].Select(index => Extremes[index])));
    }

    private static Range RangeOf(byte[] content, Region region)
    {
        ref var header = ref RawHeapFile.Header(content);
        var geometry = RawHeapFile.GeometryOf(content);
        var offset = FirstCache(header);
        var table = geometry.UserBaseAt + offset;
        var buckets = table + TableLayout.BucketsAt(offset, geometry.Slots, 8, TableLayout.SweepWords(0, geometry.MaximumBlocks));
        var end = (ulong)content.Length;
        var (from, to) = region switch
        {
            Region.Directory => (2304UL, 2304UL + (HeaderLayout.Caches * 8)),
            Region.Table => (table, buckets),
            Region.Index => (buckets, buckets + (4 * TableLayout.BucketWords * 8)),
            Region.Items => (geometry.UserBaseAt + Geometry.Page, end),
            _ => (geometry.BlockWordsAt, geometry.UserBaseAt),
        };
        return (int)from..(int)to;
    }

    private static unsafe ulong FirstCache(in HeaderLayout header)
    {
        fixed (ulong* caches = header.Cache)
        {
            return caches[0];
        }
    }

    private static Span<byte> RegionOf(byte[] content, Region region) => content.AsSpan(RangeOf(content, region));

    private sealed record Scribble(int Heap, (int Index, ulong Value)[] Words, int Seed)
    {
        internal void Apply(byte[] content, Region region)
        {
            var words = MemoryMarshal.Cast<byte, ulong>(RegionOf(content, region));
            foreach (var (index, value) in Words)
            {
                words[index] = value;
            }
        }

        internal void ApplyToFile(string path, Region region)
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
            foreach (var (index, value) in Words)
            {
                stream.Position = RangeOf(Samples[Heap], region).Start.Value + ((long)index * 8);
                stream.Write(BitConverter.GetBytes(value));
                stream.Flush();
            }
        }
    }
}
