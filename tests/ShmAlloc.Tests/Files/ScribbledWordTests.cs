using System.Runtime.InteropServices;
using CsCheck;
using ShmAlloc.Inspection;
using ShmAlloc.Layout;
using ShmAlloc.Tests.Inspection;
using ShmAlloc.TestSupport;

namespace ShmAlloc.Tests.Files;

/// <summary>
/// Somebody scribbled over the words of a heap, before it was attached or while it is in use: whatever they say, the result is an error or a
/// clean run, never a fault, a hang or an address outside the heap.
/// </summary>
public sealed class ScribbledWordTests
{
    private static readonly ShmHeapOptions[] Options =
    [
        new() { SizeBytes = 64 << 10, MaximumSizeBytes = 256 << 10, MaxParticipants = 3, BlockBytes = 4096 },
        new() { SizeBytes = 8 << 10, UnitBytes = 16, BlockBytes = 512, MaxParticipants = 2 },
        new() { SizeBytes = 512 << 10, UnitBytes = 64, BlockBytes = 64 << 10, MaxParticipants = 5 },
    ];

    private static readonly byte[][] Samples = [.. Options.Select(options => RawHeapFile.Sample(options, Populate))];

    public enum Region
    {
        Slots,
        Summaries,
        BlockWords,
        Hints,
        Bitmaps,
        Anywhere,
    }

    [Theory]
    [InlineData(Region.Slots)]
    [InlineData(Region.Summaries)]
    [InlineData(Region.BlockWords)]
    [InlineData(Region.Hints)]
    [InlineData(Region.Bitmaps)]
    [InlineData(Region.Anywhere)]
    public void A_scribbled_file_is_an_error_or_a_clean_run(Region region) => Scribbles(region).Sample(
        scribble =>
        {
            var content = (byte[])Samples[scribble.Heap].Clone();
            scribble.Apply(content, region);
            using RawHeapFile file = new(content);
            Exercise.AttachAndUse(file.Path, scribble.Seed);
        },
        iter: Effort.Choose(400, 20_000),
        threads: 2);

    [Theory]
    [InlineData(Region.Slots)]
    [InlineData(Region.BlockWords)]
    [InlineData(Region.Hints)]
    [InlineData(Region.Bitmaps)]
    [InlineData(Region.Anywhere)]
    public void Scribbling_under_a_running_heap_is_an_error_or_a_clean_run(Region region) => Scribbles(region).Sample(
        scribble =>
        {
            using RawHeapFile file = new(Samples[scribble.Heap]);
            using var heap = RawHeapFile.AttachScribbled(file.Path);
            heap.Reserve(300, out var inBlock);
            heap.Reserve(heap.BlockBytes, out var run);
            for (var word = 0; word < scribble.Words.Length; word += 4)
            {
                (scribble with { Words = scribble.Words[word..Math.Min(word + 4, scribble.Words.Length)] }).ApplyToFile(file.Path, region);
                Exercise.Use(heap, scribble.Seed + word);
            }

            heap.Publish(inBlock);
            heap.Abandon(run);
        },
        iter: Effort.Choose(150, 10_000),
        threads: 2);

    [Theory]
    [InlineData(Region.Slots)]
    [InlineData(Region.BlockWords)]
    [InlineData(Region.Hints)]
    [InlineData(Region.Bitmaps)]
    [InlineData(Region.Anywhere)]
    public void A_scribbled_file_is_looked_into(Region region) => Scribbles(region).Sample(
        scribble =>
        {
            var content = (byte[])Samples[scribble.Heap].Clone();
            scribble.Apply(content, region);
            using RawHeapFile file = new(content);
            if (ShmFile.Examine(file.Path).Verdict is ShmFailure.None or ShmFailure.CopyOfLiveHeap)
            {
                using var reader = ShmHeap.AttachReadOnly(file.Path, new() { AllowCopy = true });
                Inspections.Do(reader);
            }
        },
        iter: Effort.Choose(150, 10_000),
        threads: 1);

    [Theory]
    [InlineData(5UL)]
    [InlineData(6UL)]
    [InlineData(7UL)]
    public void A_run_that_is_longer_than_the_heap_is_no_allocation(ulong state)
    {
        var content = (byte[])Samples[0].Clone();
        var geometry = RawHeapFile.GeometryOf(content);
        var words = MemoryMarshal.Cast<byte, ulong>(content.AsSpan((int)geometry.BlockWordsAt));
        ulong[] lengths = [0, 17, 1000, BlockWord.MaxBlocks];
        for (var block = 0; block < lengths.Length; block++)
        {
            words[block] = state | lengths[block] << 28;
        }

        // Hints that lead the next search straight to them.
        content.AsSpan((int)geometry.SummariesAt, (int)(geometry.BlockWordsAt - geometry.SummariesAt)).Fill(0xFF);
        content.AsSpan((int)geometry.HintsAt, (int)(geometry.BitmapsAt - geometry.HintsAt)).Fill(0xFF);
        using RawHeapFile file = new(content);
        using var heap = RawHeapFile.AttachScribbled(file.Path);
        for (var block = 0; block < lengths.Length; block++)
        {
            ShmOffset offset = new(4096 + ((ulong)block * geometry.BlockBytes));
            Assert.Equal(0, heap.UsableSize(offset));
            Assert.True(heap.Free(offset) is ShmStatus.InvalidOffset or ShmStatus.AlreadyFree);
        }

        Assert.False(heap.Verify().IsSound);
        Exercise.Use(heap, seed: 1);
    }

    private static Gen<Scribble> Scribbles(Region region) =>
        from heap in Gen.Int[0, Options.Length - 1]
        let size = RegionOf(RawHeapFile.GeometryOf(Samples[heap]), region, Samples[heap].Length).Length
        from words in Gen.Select(Gen.Int[0, (size / 8) - 1], Words(region)).Array[1, 24]
        from seed in Gen.Int[0, 1 << 20]
        select new Scribble(heap, words, seed);

    /// <summary>Words of any bits, and words that nearly make sense: those get further.</summary>
    private static Gen<ulong> Words(Region region)
    {
        var plausible = region switch
        {
            Region.BlockWords => Gen.Select(
                Gen.ULong[0, 15], Gen.ULong[0, 6], Gen.ULong[0, 200], (state, slot, value) => state | slot << 4 | value << 28),
            Region.Slots => Gen.OneOf(
                Gen.Select(Gen.ULong[0, 3], Gen.ULong[0, 5000], Gen.ULong[0, 9000], (kind, length, unit) => kind | length << 4 | unit << 24),
                Gen.ULong[0, 3]),
            Region.Bitmaps => Gen.Select(Gen.UInt, Gen.UInt, (used, ends) => used | (ulong)(used & ends) << 32),
            _ => Gen.Const(ulong.MaxValue),
        };
        return Gen.OneOf(plausible, plausible, Gen.ULong, Gen.OneOf(Gen.Const(0UL), Gen.Const(1UL), Gen.Const(ulong.MaxValue), Gen.Const(1UL << 63)));
    }

    private static (int At, int Length) RegionOf(Geometry geometry, Region region, int fileBytes)
    {
        var (from, to) = region switch
        {
            Region.Slots => (geometry.SlotsAt, geometry.SlotsAt + (geometry.Slots * (ulong)SlotLayout.Size)),
            Region.Summaries => (geometry.SummariesAt, geometry.BlockWordsAt),
            Region.BlockWords => (geometry.BlockWordsAt, geometry.BlockWordsAt + (geometry.MaximumBlocks * 8)),
            Region.Hints => (geometry.HintsAt, geometry.BitmapsAt),
            Region.Bitmaps => (geometry.BitmapsAt, geometry.BitmapsAt + (geometry.MaximumBlocks * geometry.WordsPerBlock * 8)),
            _ => ((ulong)HeaderLayout.ImmutableBytes + 8, (ulong)fileBytes),
        };
        return ((int)from, (int)(to - from));
    }

    private static void Populate(ShmHeap heap)
    {
        List<ShmOffset> all = [];
        foreach (var size in (long[])[20, 100, 700, 1500, heap.BlockBytes * 2L, heap.BlockBytes, 60, heap.BlockBytes / 2])
        {
            all.Add(heap.Malloc(size));
        }

        heap.Free(all[1]);
        heap.Free(all[5]);
    }

    private sealed record Scribble(int Heap, (int Index, ulong Value)[] Words, int Seed)
    {
        internal void Apply(byte[] content, Region region)
        {
            var (at, length) = RegionOf(RawHeapFile.GeometryOf(content), region, content.Length);
            var words = MemoryMarshal.Cast<byte, ulong>(content.AsSpan(at, length));
            foreach (var (index, value) in Words)
            {
                words[index % words.Length] = value;
            }
        }

        internal void ApplyToFile(string path, Region region)
        {
            var (at, _) = RegionOf(RawHeapFile.GeometryOf(Samples[Heap]), region, Samples[Heap].Length);
            using var stream = File.OpenWrite(path);
            foreach (var (index, value) in Words)
            {
                stream.Position = at + (index * 8L);
                stream.Write(BitConverter.GetBytes(value));
            }
        }
    }
}
