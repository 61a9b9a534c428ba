using System.Runtime.InteropServices;
using ShmAlloc.Allocation;

namespace ShmAlloc.Tests.Allocation;

/// <summary>The private stacks of places freed lately.</summary>
public sealed unsafe class FreedPlacesTests : IDisposable
{
    private readonly Shard* _shard = (Shard*)NativeMemory.AllocZeroed((nuint)sizeof(Shard));

    public void Dispose() => NativeMemory.Free(_shard);

    [Fact]
    public void A_shard_is_as_large_as_it_says_and_has_room_for_all_that_it_names()
    {
        Assert.Equal(Shard.Size, sizeof(Shard));
        Assert.InRange((byte*)&_shard->Places[Shard.Classes * Shard.Depth] - (byte*)_shard, 1, Shard.Size);
    }

    [Fact]
    public void Sizes_up_to_32_units_have_classes_of_their_own_and_larger_ones_two_for_each_octave()
    {
        var classes = Enumerable.Range(1, 4096).Select(units => FreedPlaces.ClassOf((uint)units)).ToList();
        Assert.Equal(Enumerable.Range(0, 32), classes.Take(32));
        Assert.Equal(classes.Order(), classes);
        Assert.InRange(classes[^1], 0, Shard.Classes - 1);
        foreach (var power in (int[])[64, 128, 256, 512, 1024, 2048])
        {
            Assert.Equal(classes[power - 1] + 1, classes[power + (power / 2) - 1]);
            Assert.Equal(classes[power - 1], classes[power + (power / 2) - 2]);
        }
    }

    [Fact]
    public void The_place_freed_last_comes_back_first()
    {
        FreedPlaces.Push(_shard, 0, 3);
        FreedPlaces.Push(_shard, 700, 3);
        Assert.Equal(700UL, Pop(3));
        Assert.Equal(0UL, Pop(3));
        Assert.Null(Pop(3));
    }

    [Fact]
    public void An_empty_stack_gives_nothing() => Assert.All(Enumerable.Range(1, 4096), units => Assert.Null(Pop((uint)units)));

    [Fact]
    public void A_place_of_another_class_is_not_given()
    {
        FreedPlaces.Push(_shard, 10, 3);
        Assert.Null(Pop(2));
        Assert.Null(Pop(4));
    }

    [Fact]
    public void A_place_of_the_same_class_that_is_too_short_is_not_given()
    {
        FreedPlaces.Push(_shard, 10, 70);
        Assert.Null(Pop(71));
        Assert.Equal(10UL, Pop(66));
    }

    [Fact]
    public void The_oldest_is_forgotten_when_there_is_no_room()
    {
        const int pushed = Shard.Depth + 5;
        for (ulong unit = 0; unit < pushed; unit++)
        {
            FreedPlaces.Push(_shard, unit, 1);
        }

        for (var number = 0; number < Shard.Depth; number++)
        {
            Assert.Equal((ulong)(pushed - 1 - number), Pop(1));
        }

        Assert.Null(Pop(1));
    }

    [Fact]
    public void The_last_unit_of_the_largest_heap_can_be_remembered()
    {
        FreedPlaces.Push(_shard, ShmAlloc.Layout.CellWord.MaxUnit - 1, 4096);
        Assert.Equal(ShmAlloc.Layout.CellWord.MaxUnit - 1, Pop(4096));
    }

    private ulong? Pop(uint units) => FreedPlaces.TryPop(_shard, units, out var unit) ? unit : null;
}
