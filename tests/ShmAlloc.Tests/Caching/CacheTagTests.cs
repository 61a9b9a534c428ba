using ShmAlloc.Caching;

namespace ShmAlloc.Tests.Caching;

/// <summary>Removing everything that has a tag.</summary>
public sealed class CacheTagTests : IDisposable
{
    private readonly TestCache _test = new();
    private readonly string[] _tags;

    public CacheTagTests() => _tags = TagsApart(3);

    private SharedCache Cache => _test.Cache;

    public void Dispose() => _test.Dispose();

    [Fact]
    public void A_removed_tag_takes_with_it_what_was_set_with_it_and_nothing_else()
    {
        Cache.Set("none"u8, "value"u8);
        Cache.Set("first"u8, "value"u8, With(_tags[0]));
        Cache.Set("second"u8, "value"u8, With(_tags[1]));
        Cache.Set("both"u8, "value"u8, With(_tags[0], _tags[1]));
        Assert.Equal(CacheStatus.Ok, Cache.RemoveByTag(_tags[0]));
        Assert.True(Cache.Contains("none"u8));
        Assert.False(Cache.Contains("first"u8));
        Assert.True(Cache.Contains("second"u8));
        Assert.False(Cache.Contains("both"u8));
    }

    [Fact]
    public void What_is_set_after_a_removal_stays()
    {
        Cache.RemoveByTag(_tags[0]);
        Cache.Set("key"u8, "value"u8, With(_tags[0]));
        Assert.True(Cache.Contains("key"u8));
        Cache.RemoveByTag(_tags[0]);
        Assert.False(Cache.Contains("key"u8));
        Cache.Set("key"u8, "value"u8, With(_tags[0]));
        Assert.True(Cache.Contains("key"u8));
    }

    [Fact]
    public void A_removal_between_capturing_tags_and_setting_the_value_counts()
    {
        var captured = Cache.CaptureTags(_tags[0], _tags[1]);
        Cache.RemoveByTag(_tags[1]);
        Assert.Equal(CacheStatus.Ok, Cache.Set("key"u8, "value"u8, new() { Tags = captured }));
        Assert.Null(Cache.Get("key"u8));
        Cache.Set("key"u8, "value"u8, new() { Tags = Cache.CaptureTags(_tags[0], _tags[1]) });
        Assert.NotNull(Cache.Get("key"u8));
    }

    [Fact]
    public void Names_alone_are_captured_when_the_value_is_set()
    {
        var names = CacheTags.Of(_tags[0]);
        Cache.RemoveByTag(_tags[0]);
        Cache.Set("key"u8, "value"u8, new() { Tags = names });
        Assert.True(Cache.Contains("key"u8));
    }

    [Fact]
    public void Other_attachments_see_a_removal_at_once()
    {
        var other = _test.OpenElsewhere();
        var reader = _test.OpenReadOnly();
        for (var round = 0; round < 10; round++)
        {
            Cache.Set("key"u8, "value"u8, With(_tags[0]));
            Assert.True(other.Contains("key"u8));
            Assert.True(reader.Contains("key"u8));
            other.RemoveByTag(_tags[0]);
            Assert.False(Cache.Contains("key"u8));
            Assert.False(reader.Contains("key"u8));
        }
    }

    [Fact]
    public void What_a_tag_took_is_there_for_nobody()
    {
        Cache.Set("key"u8, BitConverter.GetBytes(5L), With(_tags[0]));
        Cache.Get("key"u8, out var version);
        Cache.RemoveByTag(_tags[0]);
        Assert.Empty(Cache.Enumerate());
        Assert.Equal(CacheStatus.Missing, Cache.Refresh("key"u8));
        Assert.Equal(CacheStatus.Missing, Cache.Lease("key"u8, out _));
        Assert.Equal(CacheStatus.Missing, Cache.Replace("key"u8, "other"u8, version));
        Assert.Equal(CacheStatus.Ok, Cache.Increment("key"u8, 1, out var sum));
        Assert.Equal(1, sum);
    }

    [Fact]
    public void What_a_tag_took_is_added_again_and_removed_as_if_it_were_not_there()
    {
        Cache.Set("key"u8, "value"u8, With(_tags[0]));
        Cache.Set("other"u8, "value"u8, With(_tags[0]));
        Cache.RemoveByTag(_tags[0]);
        Assert.Equal(CacheStatus.Ok, Cache.Add("key"u8, "added"u8));
        Assert.Equal(CacheStatus.Missing, Cache.Remove("other"u8));
        Assert.Equal(1, Cache.GetStatistics().Entries);
    }

    [Fact]
    public void A_reservation_has_the_tags_of_its_beginning()
    {
        Cache.Reserve("key"u8, 1, out var reservation, With(_tags[0]));
        Cache.RemoveByTag(_tags[0]);
        Assert.Equal(CacheStatus.Ok, reservation!.Commit());
        Assert.False(Cache.Contains("key"u8));
    }

    [Theory]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(63)]
    public void Up_to_63_tags_are_possible_and_each_of_them_counts(int count)
    {
        string[] names = TagsApart(count);
        foreach (var name in names)
        {
            Cache.Set("key"u8, "value"u8, With(names));
            Bytes.Equal("value"u8, Cache.Get("key"u8));
            Cache.RemoveByTag(name);
            Assert.False(Cache.Contains("key"u8));
        }
    }

    [Fact]
    public void More_tags_are_misuse() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => CacheTags.Of([.. Enumerable.Range(0, 64).Select(number => $"{number}")]));

    [Fact]
    public void A_number_keeps_its_many_tags()
    {
        string[] names = TagsApart(40);
        foreach (var name in (string[])[names[0], names[14], names[31], names[39]])
        {
            Cache.Increment("key"u8, 1, out _, With(names));
            Cache.Increment("key"u8, 1, out var sum);
            Assert.Equal(2, sum);
            Cache.RemoveByTag(name);
            Assert.False(Cache.Contains("key"u8));
        }
    }

    [Fact]
    public void A_tag_of_any_text_can_be_removed()
    {
        foreach (var tag in (string[])["", "ä", new string('t', 10_000)])
        {
            Cache.Set("key"u8, "value"u8, With(tag));
            Assert.True(Cache.Contains("key"u8));
            Cache.RemoveByTag(tag);
            Assert.False(Cache.Contains("key"u8));
        }
    }

    [Fact]
    public void Tags_that_share_a_place_go_together()
    {
        using TestCache test = new(new SharedCacheOptions { TagSlots = 1 });
        test.Cache.Set("key"u8, "value"u8, With("one"));
        test.Cache.RemoveByTag("another");
        Assert.False(test.Cache.Contains("key"u8));
    }

    [Fact]
    public void A_tag_of_one_cache_says_nothing_to_another()
    {
        var other = SharedCache.Open(_test.Heap, "other");
        Cache.Set("key"u8, "value"u8, With(_tags[0]));
        other.RemoveByTag(_tags[0]);
        Assert.True(Cache.Contains("key"u8));
    }

    [Fact]
    public void F12_who_found_no_slot_removes_by_a_tag_all_the_same()
    {
        using TestCache test = new(heap: new ShmHeapOptions { SizeBytes = TestCache.DefaultBytes, MaxParticipants = 1 });
        SharedCache slotless = test.OpenElsewhere();
        Assert.Null(slotless.Heap.ParticipantSlot);
        test.Cache.Set("key"u8, "value"u8, With(_tags[0]));
        Assert.Equal(CacheStatus.NoParticipantSlot, slotless.Set("other"u8, "value"u8));
        Assert.Equal(CacheStatus.Ok, slotless.RemoveByTag(_tags[0]));
        Assert.False(test.Cache.Contains("key"u8));
    }

    [Fact]
    public void F13_what_was_captured_from_one_cache_is_no_tag_of_another()
    {
        using TestCache test = new();
        CacheTags foreign = test.Cache.CaptureTags(_tags[0]);
        Assert.Throws<ArgumentException>(() => Cache.Set("key"u8, "value"u8, new() { Tags = foreign }));
        Assert.Throws<ArgumentException>(() => SharedCache.Open(_test.Heap, "other").Set("key"u8, "value"u8, new() { Tags = Cache.CaptureTags(_tags[0]) }));
        Assert.Throws<ArgumentException>(() => Cache.GetOrAdd("key", _ => [1], new() { Tags = foreign }));
        Assert.Throws<ArgumentException>(() => Cache.Reserve("key"u8, 1, out _, new() { Tags = foreign }));
        Assert.False(Cache.Contains("key"u8));
    }

    [Fact]
    public void F13_whoever_opened_the_same_cache_captures_for_all()
    {
        CacheTags captured = _test.OpenElsewhere().CaptureTags(_tags[0]);
        Assert.Equal(CacheStatus.Ok, Cache.Set("key"u8, "value"u8, new() { Tags = captured }));
        Assert.True(Cache.Contains("key"u8));
        Cache.RemoveByTag(_tags[0]);
        Assert.Equal(CacheStatus.Ok, Cache.Set("key"u8, "value"u8, new() { Tags = captured }));
        Assert.False(Cache.Contains("key"u8));
    }

    [Fact]
    public void A_pinned_value_goes_with_its_tag_and_its_room_comes_back()
    {
        for (var number = 0; number < 2000; number++)
        {
            Cache.Set($"key {number}", new byte[500], With(_tags[0]) with { Pinned = true });
        }

        Cache.RemoveByTag(_tags[0]);
        for (var number = 0; number < 20; number++)
        {
            Assert.Equal(CacheStatus.Ok, Cache.Set($"large {number}", new byte[1 << 20]));
        }

        Assert.NotEqual(0, Cache.GetStatistics().Expirations);
        _test.AssertNothingIsLost();
    }

    private static CacheEntryOptions With(params string[] tags) => new() { Tags = tags };

    /// <summary>Names of tags none of which shares its place with another, under the seed of this heap.</summary>
    private string[] TagsApart(int count) => TestCache.TagsApart(Cache, count);
}
