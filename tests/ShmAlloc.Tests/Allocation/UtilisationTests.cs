using System.Globalization;
using ShmAlloc.Tests.Support;

namespace ShmAlloc.Tests.Allocation;

/// <summary>How much of a heap can be handed out before it says that it is out of memory, counted in the units that were requested.</summary>
public sealed class UtilisationTests(ITestOutputHelper output)
{
    private const long MiB = 1 << 20;

    [Theory]
    [InlineData(8 * MiB)]
    [InlineData(64 * MiB)]
    public void Every_size_and_mix_fills_the_heap_before_it_is_out_of_memory(long heapBytes)
    {
        List<Row> rows = [];
        foreach (var size in (int[])[48, 100, 300, 700, 1000, 1500, 3000, 5000])
        {
            rows.Add(Fill(heapBytes, $"{size} bytes", 0.90, () => size));
        }

        Random uniform = new(1);
        rows.Add(Fill(heapBytes, "uniform 1 to 4096", 0.90, () => uniform.Next(1, 4097)));
        Random normal = new(2);
        rows.Add(Fill(heapBytes, "log-normal around 300", 0.90, () => LogNormal(normal)));
        rows.Add(Fill(heapBytes, "20000 bytes", 0.75, () => 20_000));
        rows.Add(Fill(heapBytes, "100000 bytes", 0.75, () => 100_000));

        Print($"heap of {heapBytes / MiB} MiB: requested units handed out before out of memory", rows, "at least");
        Assert.All(rows, row => Assert.True(row.Share >= row.Bar, $"{row.Name}: {row.Share:P2}"));
    }

    /// <summary>Small objects begin at the end of a heap that cannot grow: all below is left to a run.</summary>
    [Fact]
    public void A_small_object_leaves_room_for_a_large_one_in_a_heap_that_cannot_grow()
    {
        using TestHeap test = new(new() { SizeBytes = 16 * MiB });
        Assert.False(test.Heap.Malloc(32).IsNull);
        Assert.False(test.Heap.Malloc(15 * MiB).IsNull);
    }

    /// <summary>The participants' slots are a fixed cost: the default 64 of them, 68 KiB, are 0.8 % of a heap of 8 MiB, which gets 4 here.</summary>
    [Theory]
    [InlineData(8 * MiB, 4)]
    [InlineData(64 * MiB, 64)]
    public void Management_costs_little(long heapBytes, int participants)
    {
        List<Row> rows =
        [
            new("units of 32 bytes", Management(heapBytes, 32, participants), 0.011),
            new("units of 16 bytes", Management(heapBytes, 16, participants), 0.02),
        ];
        Print($"heap of {heapBytes / MiB} MiB, {participants} participants: management", rows, "at most");
        Assert.All(rows, row => Assert.True(row.Share <= row.Bar, $"{row.Name}: {row.Share:P2}"));
    }

    private static double Management(long heapBytes, int unit, int participants)
    {
        using TestHeap test = new(new ShmHeapOptions { SizeBytes = heapBytes, UnitBytes = unit, MaxParticipants = participants });
        return (double)test.Heap.GetStatistics().ManagementBytes / heapBytes;
    }

    private static int LogNormal(Random random)
    {
        // The median is 300 bytes, and two thirds lie between 110 and 815. Source: Box and Muller.
        var normal = Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        return (int)Math.Clamp(300 * Math.Exp(normal), 1, 32_768);
    }

    private static Row Fill(long heapBytes, string name, double bar, Func<int> nextSize)
    {
        using var test = TestHeap.OfSize(heapBytes);
        var heap = test.Heap;
        long units = 0;
        while (true)
        {
            var size = nextSize();
            var offset = heap.Malloc(size, out var status);
            if (offset.IsNull)
            {
                Assert.Equal(ShmStatus.OutOfMemory, status);
                break;
            }

            units += (size + heap.UnitBytes - 1) / heap.UnitBytes;
        }

        TestHeap.AssertSound(heap);
        return new Row(name, (double)(units * heap.UnitBytes) / heap.MaximumBytes, bar);
    }

    private void Print(string title, IEnumerable<Row> rows, string bound)
    {
        List<string> lines = [title];
        foreach (var row in rows)
        {
            lines.Add(string.Create(CultureInfo.InvariantCulture, $"  {row.Name,-22} {row.Share,9:P2}   {bound} {row.Bar:P1}"));
        }

        var table = string.Join(Environment.NewLine, lines);
        output.WriteLine(table);
        Console.WriteLine(table);
    }

    private sealed record Row(string Name, double Share, double Bar);
}
