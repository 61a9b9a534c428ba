using System.Runtime.InteropServices;
using ShmAlloc.Allocation;

namespace ShmAlloc.Tests.Allocation;

/// <summary>The private stacks of places freed lately.</summary>
public sealed unsafe class FreedPlacesTests : IDisposable
{
    private const int Kind = 7;

    private readonly Shard* _shard = (Shard*)NativeMemory.AllocZeroed((nuint)sizeof(Shard));

    public void Dispose() => NativeMemory.Free(_shard);

    [Fact]
    public void A_shard_is_as_large_as_it_says_and_has_room_for_all_that_it_names()
    {
        Assert.Equal(Shard.Size, sizeof(Shard));
        Assert.InRange((byte*)&_shard->Places[Shard.Classes * Shard.Depth] - (byte*)_shard, 1, Shard.Size);
    }

    [Fact]
    public void Places_in_one_word_have_a_class_for_each_length_and_share_none_with_those_that_cross_words()
    {
        var inWord = Enumerable.Range(1, 32).Select(units => FreedPlaces.ClassInWord((uint)units)).ToList();
        var crossing = Enumerable.Range(1, 4096).Select(units => FreedPlaces.CrossingClassOf((uint)units)).ToList();
        Assert.Equal(Enumerable.Range(0, 32), inWord);
        Assert.Equal(Enumerable.Range(32, 32), crossing.Take(32));
        Assert.Equal(crossing.Order(), crossing);
        Assert.InRange(crossing[^1], 64, Shard.Classes - 1);
        foreach (var power in (int[])[64, 128, 256, 512, 1024, 2048])
        {
            Assert.Equal(crossing[power - 1] + 1, crossing[power + (power / 2) - 1]);
            Assert.Equal(crossing[power - 1], crossing[power + (power / 2) - 2]);
        }
    }

    [Fact]
    public void The_place_freed_last_comes_back_first()
    {
        Push(0, 3);
        Push(700, 3);
        Assert.Equal(700UL, Pop(3));
        Assert.Equal(0UL, Pop(3));
        Assert.Null(Pop(3));
    }

    [Fact]
    public void An_empty_stack_gives_nothing() =>
        Assert.All(Enumerable.Range(0, Shard.Classes), kind => Assert.False(FreedPlaces.TryPop(_shard, kind, 1, out _)));

    [Fact]
    public void A_place_of_another_class_is_not_given()
    {
        Push(10, 3);
        Assert.False(FreedPlaces.TryPop(_shard, Kind - 1, 1, out _));
        Assert.False(FreedPlaces.TryPop(_shard, Kind + 1, 1, out _));
    }

    [Fact]
    public void A_place_that_is_too_short_is_not_given()
    {
        Push(10, 70);
        Assert.Null(Pop(71));
        Assert.Equal(10UL, Pop(66));
    }

    [Fact]
    public void The_oldest_is_forgotten_and_named_when_there_is_no_room()
    {
        const int pushed = Shard.Depth + 5;
        var forgotten = Enumerable.Range(0, pushed).Select(unit => Push((ulong)unit, 1)).ToList();
        Assert.All(forgotten.Take(Shard.Depth), place => Assert.Equal(0UL, place));
        Assert.Equal(Enumerable.Range(0, pushed - Shard.Depth).Select(unit => ((ulong)unit, 1u)), forgotten.Skip(Shard.Depth).Select(Named));

        for (var number = 0; number < Shard.Depth; number++)
        {
            Assert.Equal((ulong)(pushed - 1 - number), Pop(1));
        }

        Assert.Null(Pop(1));
    }

    [Fact]
    public void The_last_unit_of_the_largest_heap_can_be_remembered()
    {
        Push(ShmAlloc.Layout.CellWord.MaxUnit - 1, 4096);
        Assert.Equal(ShmAlloc.Layout.CellWord.MaxUnit - 1, Pop(4096));
    }

    private static (ulong Unit, uint Units) Named(ulong place) => (FreedPlaces.UnitOf(place), FreedPlaces.LengthOf(place));

    private ulong Push(ulong unit, uint units) => FreedPlaces.Push(_shard, Kind, unit, units);

    private ulong? Pop(uint units) => FreedPlaces.TryPop(_shard, Kind, units, out var unit) ? unit : null;
}
