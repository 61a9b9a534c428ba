using CsCheck;
using ShmAlloc.Allocation;
using ShmAlloc.Tests.Support;

namespace ShmAlloc.Tests.Allocation;

/// <summary>The bitmaps that lead a search to blocks: against a plain set, and when they are wrong.</summary>
public sealed unsafe class HintsTests
{
    private const ulong Blocks = 5000;
    private const int Plane = 3;

    private enum Kind
    {
        Set,
        Clear,
        Find,
        FindLast,
    }

    [Fact]
    public void Setting_clearing_and_finding_agree_with_a_set() =>
        Gen.Select(Gen.OneOf(Gen.Const(Kind.Set), Gen.Const(Kind.Clear), Gen.Const(Kind.Find), Gen.Const(Kind.FindLast)), NearGroups)
            .Array[1, 200].Sample(
                steps =>
                {
                    using NativeHeap test = new(blocks: Blocks, blockShift: 10);
                    SortedSet<ulong> model = [];
                    foreach (var (kind, block) in steps)
                    {
                        Run(test, model, kind, block);
                    }
                },
                iter: 200,
                threads: 2);

    [Fact]
    public void Planes_do_not_touch_each_other()
    {
        using NativeHeap test = new(blocks: Blocks, blockShift: 10);
        for (var plane = 0; plane < 16; plane++)
        {
            Hints<TestMachine>.Set(test.First, plane, (ulong)plane * 70);
        }

        for (var plane = 0; plane < 16; plane++)
        {
            if (plane != Hints<TestMachine>.FreePlane)
            {
                Assert.True(Hints<TestMachine>.TryFind(test.First, plane, 0, out var block));
                Assert.Equal((ulong)plane * 70, block);
                Assert.False(Hints<TestMachine>.TryFind(test.First, plane, block + 1, out _));
            }
        }
    }

    [Fact]
    public void A_bit_beyond_the_committed_blocks_is_not_found()
    {
        using NativeHeap test = new(blocks: 100, blockShift: 10, maximumBlocks: 1000);
        Hints<TestMachine>.Set(test.First, Plane, 100);
        Hints<TestMachine>.Set(test.First, Plane, 999);
        Assert.False(Hints<TestMachine>.TryFind(test.First, Plane, 0, out _));
        Assert.False(Hints<TestMachine>.TryFindLast(test.First, Plane, 100, out _));
    }

    [Fact]
    public void Setting_what_is_set_writes_nothing()
    {
        using NativeHeap test = new(blocks: Blocks, blockShift: 10);
        Hints<TestMachine>.Set(test.First, Plane, 77);
        var witness = TestMachine.Watch();
        Hints<TestMachine>.Set(test.First, Plane, 77);
        Hints<TestMachine>.Clear(test.First, Plane, 78);
        Assert.Equal(0, witness.Stores);
    }

    [Fact]
    public void A_search_steps_over_empty_groups_without_reading_them()
    {
        using NativeHeap test = new(blocks: 50_000, blockShift: 10, maximumBlocks: 50_000);
        Hints<TestMachine>.Set(test.First, Plane, 49_990);
        var witness = TestMachine.Watch();
        Assert.True(Hints<TestMachine>.TryFind(test.First, Plane, 0, out _));
        Assert.InRange(witness.Reads, 1, 20);
        witness = TestMachine.Watch();
        Assert.True(Hints<TestMachine>.TryFindLast(test.First, Plane, 50_000, out _));
        Assert.InRange(witness.Reads, 1, 20);
    }

    /// <summary>Block numbers at the ends of groups and of summary words, where mistakes would be.</summary>
    private static Gen<ulong> NearGroups { get; } = Gen.OneOf(
        Gen.ULong[0, Blocks - 1],
        Gen.Select(Gen.ULong[0, (Blocks / 64) - 1], Gen.Bool, (group, isLast) => (group * 64) + (isLast ? 63UL : 0)),
        Gen.OneOf(Gen.Const(0UL), Gen.Const(4095UL), Gen.Const(4096UL), Gen.Const(Blocks - 1)));

    private static ulong? First(SortedSet<ulong> blocks) => blocks.Count == 0 ? null : blocks.Min;

    private static ulong? Last(SortedSet<ulong> blocks) => blocks.Count == 0 ? null : blocks.Max;

    private static void Run(NativeHeap test, SortedSet<ulong> model, Kind kind, ulong block)
    {
        switch (kind)
        {
            case Kind.Set:
                Hints<TestMachine>.Set(test.First, Plane, block);
                model.Add(block);
                break;
            case Kind.Clear:
                Hints<TestMachine>.Clear(test.First, Plane, block);
                model.Remove(block);
                break;
            case Kind.Find:
                ulong? expected = First(model.GetViewBetween(block, Blocks));
                Assert.Equal(expected, Hints<TestMachine>.TryFind(test.First, Plane, block, out var found) ? found : null);
                break;
            default:
                expected = block == 0 ? null : Last(model.GetViewBetween(0, block - 1));
                Assert.Equal(expected, Hints<TestMachine>.TryFindLast(test.First, Plane, block, out found) ? found : null);
                break;
        }
    }
}
