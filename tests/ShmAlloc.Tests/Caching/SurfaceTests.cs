using System.Reflection;
using ShmAlloc.Caching;

namespace ShmAlloc.Tests.Caching;

/// <summary>What a caller may rely on in every member of <see cref="SharedCache"/>.</summary>
public sealed class SurfaceTests : IDisposable
{
    private readonly TestCache _test = new();

    private static IEnumerable<MethodInfo> Methods =>
        typeof(SharedCache).GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly).Where(method => !method.IsSpecialName);

    private SharedCache Cache => _test.Cache;

    public void Dispose() => _test.Dispose();

    /// <summary>F60: one rule for all of them.</summary>
    [Fact]
    public void F60_who_is_called_Try_says_true_or_false_and_who_says_true_or_false_is_called_Try_or_asks()
    {
        string[] questions = ["Contains", "IsCurrent", "AreCurrent"];
        Assert.All(Methods, method => Assert.Equal(
            method.Name.StartsWith("Try", StringComparison.Ordinal) || questions.Contains(method.Name), method.ReturnType == typeof(bool)));
        Assert.Contains(Methods, method => method.Name.StartsWith("Try", StringComparison.Ordinal));
    }

    /// <summary>Neither <see cref="CacheStatus.Closed"/> nor anything else is an answer then.</summary>
    [Fact]
    public void A_disposed_heap_is_misuse_of_every_method()
    {
        var cache = _test.OpenElsewhere();
        var bytes = new byte[10];
        cache.Set("key", bytes);
        cache.Get("key", out CacheVersion version);
        cache.GetMarked("key", out CacheMark mark);
        CacheTags tags = cache.CaptureTags("tag");
        KeyValuePair<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>[] entries = [new(bytes, bytes)];
        ReadOnlyMemory<byte>[] keys = [bytes];
        cache.Heap.Dispose();
        (string Name, Action Call)[] calls =
        [
            ("Add", () => cache.Add("key", bytes)),
            ("AreCurrent", () => cache.AreCurrent(tags)),
            ("BeginFlight", () => cache.BeginFlight("key", out _)),
            ("CaptureTags", () => cache.CaptureTags("tag")),
            ("Clear", () => cache.Clear()),
            ("Contains", () => cache.Contains("key")),
            ("Enumerate", () => _ = cache.Enumerate().Count()),
            ("Get", () => cache.Get("key")),
            ("Get", () => cache.Get("key", bytes, out _, out _)),
            ("GetMany", () => cache.GetMany("key")),
            ("GetMany", () => cache.GetMany(keys)),
            ("GetMany", () => cache.GetMany(keys, bytes, new CacheRead[1])),
            ("GetMarked", () => cache.GetMarked("key", out _)),
            ("GetMarked", () => cache.GetMarked("key", bytes, out _, out _)),
            ("GetOrAdd", () => cache.GetOrAdd("key", _ => bytes)),
            ("GetOrAddAsync", () => cache.GetOrAddAsync("key", (_, _) => new(bytes), default, default, TestContext.Current.CancellationToken).AsTask()),
            ("GetOrAddMarked", () => cache.GetOrAddMarked("key", _ => bytes, out _)),
            ("GetOrAddMarkedAsync", () => cache.GetOrAddMarkedAsync("key", (_, _) => new(bytes), default, default, TestContext.Current.CancellationToken).AsTask()),
            ("GetProcessStatistics", () => cache.GetProcessStatistics()),
            ("GetStatistics", () => cache.GetStatistics()),
            ("GetStatistics", () => cache.GetStatistics(0)),
            ("Increment", () => cache.Increment("key", 1, out _)),
            ("IsCurrent", () => cache.IsCurrent(mark)),
            ("Lease", () => cache.Lease("key", out _)),
            ("PlacesOf", () => cache.PlacesOf(bytes)),
            ("Refresh", () => cache.Refresh("key")),
            ("Remove", () => cache.Remove("key")),
            ("RemoveAll", () => cache.RemoveAll()),
            ("RemoveByTag", () => cache.RemoveByTag("tag")),
            ("Replace", () => cache.Replace("key", bytes, version)),
            ("Reserve", () => cache.Reserve("key", 10, out _)),
            ("Set", () => cache.Set("key", bytes)),
            ("Set", () => cache.Set("key", new System.Buffers.ReadOnlySequence<byte>(bytes))),
            ("SetMany", () => cache.SetMany(entries)),
            ("SetMany", () => cache.SetMany([new("key", bytes)])),
            ("SetOrRemove", () => cache.SetOrRemove("key", bytes, out _)),
            ("TagPlaceOf", () => cache.TagPlaceOf("tag")),
            ("Touch", () => cache.Touch("key", default)),
            ("TryGet", () => cache.TryGet("key", bytes, out _)),
            ("TryGet", () => cache.TryGet("key", new System.Buffers.ArrayBufferWriter<byte>())),
            ("Walk", () => cache.Walk()),
        ];
        Assert.All(calls, call => Assert.Throws<ObjectDisposedException>(call.Call));
        Assert.Equal(Methods.Select(method => method.Name).Distinct().Order(StringComparer.Ordinal), calls.Select(call => call.Name).Distinct());
    }

    /// <summary>Leaving them out took the expiry away.</summary>
    [Fact]
    public void A_touch_always_says_what_the_expiry_is_to_be() =>
        Assert.All(Methods.Where(method => method.Name == "Touch"), method => Assert.DoesNotContain(method.GetParameters(), parameter => parameter.IsOptional));

    [Fact]
    public void Tags_are_given_as_a_collection_or_as_one_text()
    {
        string[] tags = TestCache.TagsApart(Cache, 3);
        Cache.Set("two", "value"u8, new() { Tags = [tags[0], tags[1]] });
        Cache.Set("one", "value"u8, new() { Tags = tags[2] });
        Cache.Set("none", "value"u8, new() { Tags = [] });
        Cache.RemoveByTag(tags[1]);
        Assert.False(Cache.Contains("two"));
        Assert.True(Cache.Contains("one"));
        Cache.RemoveByTag(tags[2]);
        Assert.False(Cache.Contains("one"));
        Assert.True(Cache.Contains("none"));
        CacheTags spread = [.. tags, "a, b"];
        List<string> names = [];
        foreach (string name in spread)
        {
            names.Add(name);
        }

        Assert.Equal([.. tags, "a, b"], names);
        Assert.Throws<ArgumentException>(() => (CacheTags)(string)null!);
        Assert.Empty(default(CacheTags).ToString().Replace("none", "", StringComparison.Ordinal));
        Assert.False(default(CacheTags).GetEnumerator().MoveNext());
    }

    [Fact]
    public void The_name_is_default_if_none_is_given() => Assert.Equal("default", SharedCache.Open(_test.Heap).Name);

    [Theory]
    [InlineData(nameof(CacheEntryOptions.Lifetime))]
    [InlineData(nameof(CacheEntryOptions.SlidingExpiration))]
    [InlineData(nameof(CacheEntryOptions.StaleFor))]
    [InlineData(nameof(CacheEntryOptions.RefreshAfter))]
    public void A_time_that_is_not_positive_is_named(string name)
    {
        object options = new CacheEntryOptions { Lifetime = name is nameof(CacheEntryOptions.SlidingExpiration) ? null : TimeSpan.FromHours(1) };
        typeof(CacheEntryOptions).GetProperty(name)!.SetValue(options, TimeSpan.Zero);
        var fault = Assert.Throws<ArgumentOutOfRangeException>(() => Cache.Set("key", "value"u8, (CacheEntryOptions)options));
        Assert.Equal(name, fault.ParamName);
        Assert.StartsWith($"{name} must be more than zero", fault.Message, StringComparison.Ordinal);
        Assert.Equal(name, Assert.Throws<ArgumentOutOfRangeException>(() => Cache.GetOrAdd("key", _ => [], (CacheEntryOptions)options)).ParamName);
    }

    [Fact]
    public void A_point_in_time_that_has_passed_is_named()
    {
        CacheEntryOptions options = new() { AbsoluteExpiration = DateTimeOffset.UtcNow };
        foreach (var call in (Action[])[() => Cache.Set("key", "value"u8, options), () => Cache.GetOrAdd("key", _ => [], options)])
        {
            var fault = Assert.Throws<ArgumentOutOfRangeException>(call);
            Assert.Equal((nameof(options.AbsoluteExpiration), options.AbsoluteExpiration), (fault.ParamName, fault.ActualValue));
            Assert.StartsWith("AbsoluteExpiration must lie in the future", fault.Message, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void A_value_that_would_be_due_when_it_has_expired_is_refused(int minutes)
    {
        CacheEntryOptions options = new() { Lifetime = TimeSpan.FromMinutes(1), RefreshAfter = TimeSpan.FromMinutes(minutes) };
        foreach (var call in (Action[])[() => Cache.Set("key", "value"u8, options), () => Cache.GetOrAdd("key", _ => [], options)])
        {
            Assert.Contains("RefreshAfter", Assert.Throws<ArgumentException>(call).Message, StringComparison.Ordinal);
        }

        Assert.Equal(CacheStatus.Ok, Cache.BeginFlight("key", out CacheFlight? flight));
        Assert.Throws<ArgumentException>(() => flight!.Complete("value"u8, options with { AbsoluteExpiration = DateTimeOffset.UtcNow.AddHours(1) }));
    }

    /// <summary>That may be a matter of how long a factory takes.</summary>
    [Fact]
    public void A_point_in_time_may_come_before_a_value_is_due()
    {
        ManualClock clock = new();
        using TestCache test = new(new SharedCacheOptions { Clock = clock });
        CacheEntryOptions options = new() { AbsoluteExpiration = clock.Now.AddMilliseconds(100), RefreshAfter = TimeSpan.FromMilliseconds(90) };
        test.Cache.GetOrAdd("late", _ =>
        {
            clock.Advance(50);
            return [1];
        }, options);
        Assert.Equal([1], test.Cache.Get("late"));
        Assert.Equal(CacheStatus.Ok, test.Cache.Set("key", "value"u8, options));
        clock.Advance(50);
        Assert.Equal([2], test.Cache.GetOrAdd("late", _ => [2], default, new() { RefreshesInline = true }));
    }
}
