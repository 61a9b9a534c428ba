using System.Globalization;
using ShmAlloc.Caching;
using ShmAlloc.Extensions.Caching.Hybrid;

namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>The table of a process's objects, by itself.</summary>
public sealed class FirstLevelTableTests
{
    private const int Most = 4096;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>Where keys have few places, some of so many find theirs taken.</summary>
    [Fact]
    public void As_many_objects_as_there_may_be_all_have_a_place()
    {
        FirstLevel objects = new(Most, long.MaxValue);
        for (var key = 0; key < Most; key++)
        {
            Assert.True(objects.Keep(ItemOf(key)));
        }

        Assert.Equal(Most, objects.Count);
        Assert.All(Enumerable.Range(0, Most), key => Assert.Equal(key, Find(objects, key)));
    }

    [Fact]
    public void There_are_no_more_objects_than_there_may_be_and_the_last_one_is_there()
    {
        FirstLevel objects = new(Most, long.MaxValue);
        for (var key = 0; key < 3 * Most; key++)
        {
            objects.Keep(ItemOf(key));
            Assert.Equal(key, Find(objects, key));
            Assert.InRange(objects.Count, 0, Most);
        }

        var found = Enumerable.Range(0, 3 * Most).Count(key => Find(objects, key) != null);
        Assert.Equal(found, objects.Count);
        Assert.InRange(found, Most / 2, Most);
    }

    /// <summary>A sweep goes chain by chain, in a thread of its own: the application may end meanwhile.</summary>
    [Fact]
    public void A_table_that_is_cleared_during_a_sweep_has_fewer_chains()
    {
        FirstLevel objects = new(Most, long.MaxValue);
        for (var key = 0; key < Most; key++)
        {
            var text = key.ToString(CultureInfo.InvariantCulture);
            objects.Keep(new FirstLevel.Item(text, FirstLevel.HashOf(text), key, 4, typeof(int), default, long.MaxValue, default(CacheTags)));
        }

        // First it takes note that they were used.
        objects.Sweep(_ => true);
        objects.Sweep(_ =>
        {
            objects.Clear();
            return true;
        });
        Assert.Equal(0, objects.Count);
    }

    /// <summary>A caller who chooses keys that meet does not make a reader search among all of them.</summary>
    [Fact]
    public void Of_keys_that_meet_only_a_few_stay()
    {
        FirstLevel objects = new(Most, long.MaxValue);
        for (var key = 0; key < 1000; key++)
        {
            objects.Keep(ItemOf(key, hash: 5));
            Assert.Equal(key, objects.Find($"{key}", 5)?.Value);
        }

        Assert.InRange(objects.Count, 4, 32);
        Assert.Equal(objects.Count, Enumerable.Range(0, 1000).Count(key => objects.Find($"{key}", 5) != null));
    }

    [Fact]
    public void An_object_takes_the_place_of_that_of_its_key()
    {
        FirstLevel objects = new(Most, long.MaxValue);
        for (var turn = 0; turn < 10; turn++)
        {
            FirstLevel.Item item = new("key", FirstLevel.HashOf("key"), $"{turn}", 10 * turn, typeof(string), default, long.MaxValue);
            Assert.True(objects.Keep(item));
            Assert.Same(item, objects.Find("key", item.Hash));
            Assert.Equal((1, item.CostBytes), (objects.Count, objects.Bytes));
        }
    }

    [Fact]
    public void An_object_is_admitted_when_it_is_offered_again()
    {
        FirstLevel objects = new(Most, long.MaxValue);
        objects.Offer(ItemOf(1));
        Assert.Null(Find(objects, 1));
        objects.Offer(ItemOf(1));
        Assert.Equal(1, Find(objects, 1));
    }

    /// <summary>While others make the table grow, and drop what is theirs: an object is in one chain or another, and never in none.</summary>
    [Fact]
    public async Task Readers_find_what_is_there_while_the_table_grows()
    {
        for (var round = 0; round < Effort.Choose(20, 100, 1000); round++)
        {
            FirstLevel objects = new(FirstLevel.DefaultObjects, long.MaxValue);
            for (var key = 0; key < 200; key++)
            {
                objects.Keep(ItemOf(key));
            }

            var isOver = false;
            var reader = Task.Run(
                () =>
                {
                    for (var key = 0; !Volatile.Read(ref isOver); key = (key + 1) % 200)
                    {
                        Assert.Equal(key, Find(objects, key));
                    }
                },
                Token);
            for (var key = 200; key < 20_000; key++)
            {
                var item = ItemOf(key);
                objects.Keep(item);
                if (key % 4 == 0)
                {
                    objects.Drop(item);
                }
            }

            Volatile.Write(ref isOver, true);
            await reader;
            Assert.Equal(200 + (19_800 * 3 / 4), objects.Count);
        }
    }

    private static object? Find(FirstLevel objects, int key)
    {
        var text = key.ToString(CultureInfo.InvariantCulture);
        return objects.Find(text, FirstLevel.HashOf(text))?.Value;
    }

    private static FirstLevel.Item ItemOf(int key, int? hash = null)
    {
        var text = key.ToString(CultureInfo.InvariantCulture);
        return new FirstLevel.Item(text, hash ?? FirstLevel.HashOf(text), key, 4, typeof(int), default, long.MaxValue);
    }
}
