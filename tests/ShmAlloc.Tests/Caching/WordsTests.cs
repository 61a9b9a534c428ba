using ShmAlloc.Caching;

namespace ShmAlloc.Tests.Caching;

/// <summary>F63: what is printed says something, and what makes no sense is refused.</summary>
public sealed class WordsTests : IDisposable
{
    private readonly TestCache _test = new();

    public void Dispose() => _test.Dispose();

    [Fact]
    public void F63_every_status_of_a_cache_has_a_sentence() =>
        Assert.All(Enum.GetValues<CacheStatus>(), status => Assert.NotEqual(((CacheStatus)(-1)).Describe(), status.Describe()));

    [Fact]
    public void F63_a_verification_says_what_it_found()
    {
        _test.Heap.Malloc(100);
        Assert.Matches("^sound: [1-9][0-9]* allocations and [0-9]+ private ones in [1-9][0-9]* blocks$", $"{_test.Heap.Verify()}");
        Assert.Equal("1 violation: 2 allocations and 3 private ones in 4 blocks; first: a", $"{new ShmVerification(["a"], 2, 3, 4)}");
        Assert.Equal("2 violations: 2 allocations and 3 private ones in 4 blocks; first: a", $"{new ShmVerification(["a", "b"], 2, 3, 4)}");
    }

    [Fact]
    public void F63_tags_say_their_names()
    {
        Assert.Equal("article 5, user 7", $"{CacheTags.Of("article 5", "user 7")}");
        Assert.Equal("article 5 (captured)", $"{_test.Cache.CaptureTags("article 5")}");
        Assert.Equal("none", $"{default(CacheTags)}");
        Assert.Equal("none", $"{CacheTags.Of()}");
    }

    [Fact]
    public void F63_null_is_no_tag()
    {
        Assert.Throws<ArgumentException>(() => CacheTags.Of("one", null!));
        Assert.Throws<ArgumentException>(() => _test.Cache.CaptureTags("one", null!));
        Assert.Throws<ArgumentException>(() => (CacheTags)(string[])["one", null!]);
        Assert.Throws<ArgumentNullException>(() => _test.Cache.RemoveByTag(null!));
        Assert.Throws<ArgumentNullException>(() => CacheTags.Of(null!));
    }

    [Fact]
    public void F63_tags_of_a_heap_that_was_disposed_cannot_be_captured()
    {
        SharedCache other = _test.OpenElsewhere();
        other.Heap.Dispose();
        Assert.Throws<ObjectDisposedException>(() => other.CaptureTags("one"));
    }

    [Fact]
    public void F63_figures_and_entries_are_a_line_of_text()
    {
        _test.Cache.Set("session 5", new byte[120], new() { Pinned = true });
        Assert.Equal("session 5: 120 bytes, pinned", $"{Assert.Single(_test.Cache.Enumerate())}");
        Assert.Matches("^2 allocations of [0-9]+ bytes; [0-9]+ bytes free of [0-9]+, at most [0-9]+; 1 of 64 participants$", $"{_test.Heap.GetStatistics()}");
    }
}
