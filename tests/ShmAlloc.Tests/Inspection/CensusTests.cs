using ShmAlloc.Inspection;
using ShmAlloc.Layout;
using ShmAlloc.Tests.Support;

namespace ShmAlloc.Tests.Inspection;

/// <summary>Counting whole words at a time comes to what counting unit by unit does, whatever the words say.</summary>
public sealed class CensusTests : IDisposable
{
    private const int Rounds = 3000;

    private readonly TestHeap _test = TestHeap.OfSize(64 << 10, unit: 32, block: 4096);
    private readonly ShmInspector _inspector;

    public CensusTests()
    {
        _inspector = new ShmInspector(_test.Heap);
        _test.Heap.Malloc(1);
    }

    private static int OpenBlock(ShmInspector inspector)
    {
        var blocks = new ShmBlock[16];
        Assert.Equal(16, inspector.ReadBlocks(0, blocks));
        return Array.FindIndex(blocks, block => block.Kind == ShmBlockKind.Open);
    }

    public void Dispose() => _test.Dispose();

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public unsafe void Words_of_any_bits_are_counted_as_if_one_unit_was_looked_at_after_the_other(int kind)
    {
        var block = OpenBlock(_inspector);
        var heap = _test.Heap.Attachment;
        var words = heap->FirstWordOf((ulong)block);
        var count = (int)heap->Geometry.WordsPerBlock;
        var random = new Random(kind);
        for (var round = 0; round < Rounds; round++)
        {
            for (var word = 0; word < count; word++)
            {
                words[word] = Word(random, kind).Stored;
            }

            var expected = CountOneByOne(words, count, out var runs);
            long[] before = [.. _test.Heap.GetStatistics().FreeRunsByOrder];
            Assert.Equal(runs, before);
            var read = new ShmBlock[1];
            Assert.Equal(1, _inspector.ReadBlocks(block, read));
            Assert.Equal(
                expected, (read[0].UsedUnits, read[0].PrivateUnits, read[0].FreeUnits, read[0].LargestFreeUnits, read[0].Allocations));
        }

        for (var word = 0; word < count; word++)
        {
            words[word] = BitmapWord.Empty.Stored;
        }
    }

    private static BitmapWord Word(Random random, int kind)
    {
        var a = (uint)random.NextInt64();
        var b = (uint)random.NextInt64();
        return (kind, random.Next(8)) switch
        {
            (_, 0) => BitmapWord.Closed,
            (_, 1) => BitmapWord.Empty,
            (0, _) => new BitmapWord(a | (ulong)b << 32),

            // Whole words of published allocations of one unit, with some free ones between.
            (1, _) => new BitmapWord(a | (ulong)a << 32),

            // Bodies up to the end of the word, so that allocations go on in the next one.
            (2, _) => new BitmapWord(uint.MaxValue | ((ulong)(a & b & (uint)random.NextInt64()) << 32)),
            _ => new BitmapWord((a | b) | ((ulong)(a & b) << 32)),
        };
    }

    /// <summary>What the walk did before it counted words.</summary>
    private static unsafe (int Used, int Private, int Free, int LargestFree, int Allocations) CountOneByOne(ulong* words, int count, out long[] runs)
    {
        runs = new long[8];
        var (used, priv, free, largest, allocations, pending, run) = (0, 0, 0, 0, 0, 0, 0);
        for (var index = 0; index < count * BitmapWord.Units; index++)
        {
            var word = BitmapWord.FromStored(words[index / BitmapWord.Units]);
            var bit = index % BitmapWord.Units;
            var isFree = (word.Free >> bit & 1) != 0;
            if (!isFree && run != 0)
            {
                runs[System.Numerics.BitOperations.Log2((uint)run)]++;
            }

            run = isFree ? run + 1 : 0;
            largest = Math.Max(largest, run);
            free += isFree ? 1 : 0;
            pending = isFree || word.IsClosed ? 0 : pending + 1;
            if (!word.IsClosed && (word.Ends >> bit & 1) != 0)
            {
                var isPublished = (word.PublishedEnds >> bit & 1) != 0;
                (used, priv) = isPublished ? (used + pending, priv) : (used, priv + pending);
                allocations += isPublished ? 1 : 0;
                pending = 0;
            }
        }

        if (run != 0)
        {
            runs[System.Numerics.BitOperations.Log2((uint)run)]++;
        }

        return (used, priv, free, largest, allocations);
    }
}
