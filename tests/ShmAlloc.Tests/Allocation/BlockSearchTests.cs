using System.Numerics;
using CsCheck;
using ShmAlloc.Allocation;
using ShmAlloc.Layout;
using ShmAlloc.Tests.Support;

namespace ShmAlloc.Tests.Allocation;

/// <summary>The search for room in one block, against one that looks at every unit.</summary>
public sealed unsafe class BlockSearchTests
{
    private const int UnitsPerBlock = 512;

    /// <summary>Blocks of which more or less is used, some words closed.</summary>
    private static readonly Gen<ulong[]> Words =
        from density in Gen.Int[0, 3]
        from words in Gen.Select(Gen.UInt, Gen.UInt, Gen.UInt, Gen.Int[0, 15]).Select((a, b, c, kind) => kind switch
        {
            0 => BitmapWord.Closed.Stored,
            < 5 => BitmapWord.Empty.Stored,
            _ => Used(density switch { 0 => a & b & c, 1 => a & b, 2 => a, _ => a | b }).Stored,
        }).Array[UnitsPerBlock / 32]
        select words;

    [Fact]
    public void It_finds_a_place_exactly_if_there_is_one_and_the_lowest_that_may_be_used() =>
        Gen.Select(Words, Gen.OneOf(Gen.UInt[1, 40], Gen.UInt[1, 384], Gen.Int[0, 8].Select(shift => 1u << shift)), Gen.Bool).Sample(
            (words, units, isAnyPlace) =>
            {
                using NativeHeap test = new(unitShift: 5, blockShift: 14, blocks: 2);
                Write(test, words);
                var request = Request(test, units, isAnyPlace);
                uint cursor = 0;
                var isFound = BlockSearch<TestMachine>.TryFind(test.First, 1, request, ref cursor, out var unit);
                var expected = Naive(words, request);
                Assert.Equal(expected, isFound ? (int)(unit - UnitsPerBlock) : null);
                Assert.Equal(isFound ? (uint)(expected!.Value / 32) : UnitsPerBlock / 32, cursor);
            },
            iter: 5000,
            threads: 2);

    [Fact]
    public void Among_what_was_read_it_finds_a_place_exactly_if_there_is_one_in_the_shortest_run_that_has_one() =>
        Gen.Select(Words, Gen.OneOf(Gen.UInt[1, 40], Gen.UInt[1, 384], Gen.Int[0, 8].Select(shift => 1u << shift)), Gen.Bool).Sample(
            (words, count, isAnyPlace) =>
            {
                using NativeHeap test = new(unitShift: 5, blockShift: 14, blocks: 2);
                Write(test, words);
                var request = Request(test, count, isAnyPlace);
                FreeUnits units;
                FreeUnits.Read<TestMachine>(test.First, 1, &units);
                var isFound = FreeUnits.TryFindTightest(&units, request, out var start);
                var free = Free(words);
                int[] runs = [.. Enumerable.Range(0, UnitsPerBlock).Where(unit => free[unit] && (unit == 0 || !free[unit - 1]))];
                int LengthOf(int run) => free.Skip(run).TakeWhile(isFree => isFree).Count();
                int[] fitting = [.. runs.Where(run => request.TryPlace((uint)run, (uint)(run + LengthOf(run)), out _))];
                Assert.Equal(Naive(words, request) != null, isFound);
                Assert.Equal(fitting.Length != 0, isFound);
                if (isFound)
                {
                    var run = runs.Last(first => first <= start);
                    Assert.True(start + count <= run + LengthOf(run));
                    Assert.Equal(0u, start % request.Alignment);
                    Assert.Equal(fitting.Min(LengthOf), LengthOf(run));
                }
            },
            iter: 5000,
            threads: 2);

    [Fact]
    public void It_finds_nothing_below_the_cursor()
    {
        using NativeHeap test = new(unitShift: 5, blockShift: 14, blocks: 2);
        Write(test, [.. Enumerable.Repeat(BitmapWord.Empty.Stored, UnitsPerBlock / 32)]);
        for (uint start = 0; start < UnitsPerBlock / 32; start++)
        {
            var cursor = start;
            Assert.True(BlockSearch<TestMachine>.TryFind(test.First, 1, Request(test, 5, isAnyPlace: false), ref cursor, out var unit));
            Assert.Equal(UnitsPerBlock + (start * 32), unit);
        }
    }

    [Fact]
    public void The_longest_free_run_and_the_need_to_sweep_are_what_a_walk_finds() => Words.Sample(
        words =>
        {
            using NativeHeap test = new(unitShift: 5, blockShift: 14, blocks: 2);
            Write(test, words);
            FreeUnits units;
            FreeUnits.Read<TestMachine>(test.First, 1, &units);
            var free = Free(words);
            var longest = Enumerable.Range(0, UnitsPerBlock).Max(first => free.Skip(first).TakeWhile(isFree => isFree).Count());
            var order = longest == 0 ? FreeUnits.NoOrder : BitOperations.Log2((uint)longest);
            Assert.Equal(order, FreeUnits.Order(&units));
            for (var possible = 0; possible <= order; possible++)
            {
                Assert.True(units.MayHave(possible));
            }

            Assert.Equal(words.Any(word => BitmapWord.FromStored(word) is var read && (read.IsClosed || read.PrivateEnds != 0)), units.NeedsSweep);
        },
        iter: 1000,
        threads: 2);

    private static BitmapWord Used(uint used)
    {
        // Every unit an allocation of its own, the even ones private.
        return BitmapWord.Empty.With(((ulong)(used & 0xAAAA_AAAA) << 32) | (used & 0xAAAA_AAAA)).WithPrivate(used & 0x5555_5555, used & 0x5555_5555);
    }

    private static Request Request(NativeHeap test, uint units, bool isAnyPlace)
    {
        Request request = new(units, test.Geometry);
        return isAnyPlace ? request.AnyPlace : request;
    }

    private static void Write(NativeHeap test, ulong[] words)
    {
        for (var index = 0; index < words.Length; index++)
        {
            test.First->FirstWordOf(1)[index] = words[index];
        }
    }

    private static List<bool> Free(ulong[] words) =>
        [.. words.SelectMany(word => Enumerable.Range(0, 32).Select(unit => (BitmapWord.FromStored(word).Free >> unit & 1) != 0))];

    private static int? Naive(ulong[] words, Request request)
    {
        var free = Free(words);
        var units = (int)request.Units;
        for (var start = 0; start + units <= UnitsPerBlock; start += (int)request.Alignment)
        {
            var isInOneWord = (start % 32) + units <= 32;
            if ((isInOneWord || request.PackAcrossWords) && !free.Skip(start).Take(units).Contains(false))
            {
                return start;
            }
        }

        return null;
    }
}
