using System.Buffers;
using System.Reflection;
using System.Text;
using ShmAlloc.Caching;

namespace ShmAlloc.Tests.Caching;

/// <summary>F60: whatever is done with a key of bytes is done with a text as well.</summary>
public sealed class TextOverloadTests : IDisposable
{
    private readonly ManualClock _clock = new();
    private readonly TestCache _test;

    public TextOverloadTests() => _test = new TestCache(new SharedCacheOptions { Clock = _clock });

    /// <summary>Of these the second is longer than the room in the frame of the caller.</summary>
    public static TheoryData<string> Keys => ["", new string('ä', 1000), "key", "cut \ud83d"];

    private SharedCache Cache => _test.Cache;

    public void Dispose() => _test.Dispose();

    [Fact]
    public void Every_operation_on_a_key_of_bytes_has_one_on_a_text()
    {
        var methods = typeof(SharedCache).GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly);
        var ofBytes = methods.Where(method => FirstIs<ReadOnlySpan<byte>>(method) && !method.IsGenericMethod).ToList();
        var ofTexts = methods.Where(FirstIs<string>).Select(Rest).ToList();
        Assert.True(ofBytes.Count >= 17);
        Assert.All(ofBytes, method => Assert.Contains(Rest(method), ofTexts));

        static bool FirstIs<T>(MethodInfo method)
            where T : allows ref struct
            => method.GetParameters() is [{ Name: "key" } first, ..] && first.ParameterType == typeof(T);

        static string Rest(MethodInfo method) => $"{method.ReturnType} {method.Name}({string.Join(", ", method.GetParameters().Skip(1))})";
    }

    [Theory]
    [MemberData(nameof(Keys))]
    public void A_text_means_its_bytes_in_every_operation(string key)
    {
        var bytes = Cache.Set(key, "0"u8) == CacheStatus.Ok ? Assert.Single(Cache.Enumerate()).Key.ToArray() : [];
        if (!key.Contains('\ud83d', StringComparison.Ordinal))
        {
            Assert.Equal(Encoding.UTF8.GetBytes(key), bytes);
        }

        Assert.Equal(CacheStatus.Exists, Cache.Add(key, "1"u8));
        Assert.Equal(CacheStatus.Ok, Cache.Remove(key));
        Assert.Equal(CacheStatus.Ok, Cache.Add(key, "1"u8));
        Bytes.Equal("1"u8, Cache.Get(key, out CacheVersion version));
        Assert.Equal(CacheStatus.Ok, Cache.Replace(key, "2"u8, version));
        Assert.Equal(CacheStatus.Changed, Cache.Replace(key, "3"u8, version));
        Bytes.Equal("2"u8, Cache.Get(bytes));

        var buffer = new byte[20];
        Assert.Equal(CacheStatus.Ok, Cache.Get(key, buffer, out int length, out version));
        Assert.Equal(1, length);
        Assert.Equal(CacheStatus.Ok, Cache.GetMarked(key, buffer, out length, out var mark));
        Assert.True(Cache.IsCurrent(mark));
        Bytes.Equal("2"u8, Cache.GetMarked(key, out mark));
        Assert.True(Cache.IsCurrent(mark));
        ArrayBufferWriter<byte> writer = new();
        Assert.True(Cache.TryGet(key, writer) && writer.WrittenCount == 1 && Cache.TryGet(key, buffer, out _) && Cache.Contains(key));
        Assert.Equal(CacheStatus.Ok, Cache.Lease(key, out CacheLease lease));
        Bytes.Equal("2"u8, lease.Value);
        lease.Dispose();

        Assert.Equal(CacheStatus.Ok, Cache.Set(key, new ReadOnlySequence<byte>("4"u8.ToArray())));
        Bytes.Equal("4"u8, Cache.Get(bytes));
        Assert.Equal(CacheStatus.Ok, Cache.SetOrRemove(key, "5"u8, out var isStored));
        Assert.True(isStored);
        Assert.Equal(CacheStatus.Ok, Cache.Reserve(key, 1, out var reservation));
        reservation!.Value[0] = (byte)'6';
        Assert.Equal(CacheStatus.Ok, reservation.Commit());
        reservation.Dispose();
        Bytes.Equal("6"u8, Cache.Get(bytes));

        var sliding = new CacheEntryOptions { SlidingExpiration = TimeSpan.FromMilliseconds(100) };
        Cache.Remove(bytes);
        Assert.Equal(CacheStatus.Ok, Cache.Increment(key, 7, out long number, sliding));
        _clock.Advance(99);
        Assert.Equal(CacheStatus.Ok, Cache.Refresh(key));
        _clock.Advance(99);
        Assert.Equal(CacheStatus.Ok, Cache.Touch(key, default));
        Assert.Equal(CacheStatus.Ok, Cache.Increment(key, 1, out number, new() { Lifetime = TimeSpan.FromHours(1) }, keepsExpiry: true));
        Assert.Equal(8, number);
        _clock.Advance(100);
        Assert.False(Cache.Contains(key));
    }

    [Fact]
    public void A_text_that_is_null_is_refused_by_every_operation()
    {
        var ofTexts = typeof(SharedCache).GetMethods().Where(method => method.GetParameters() is [{ Name: "key" } first, ..]
            && first.ParameterType == typeof(string) && !method.GetParameters().Any(parameter => parameter.ParameterType.IsByRefLike));
        Assert.True(ofTexts.Count() >= 9);
        foreach (var method in ofTexts)
        {
            var arguments = method.GetParameters().Select(parameter => parameter.ParameterType.IsValueType ? Activator.CreateInstance(parameter.ParameterType) : null);
            Assert.IsType<ArgumentNullException>(Assert.Throws<TargetInvocationException>(() => method.Invoke(Cache, [.. arguments])).InnerException);
        }

        Assert.Throws<ArgumentNullException>(() => Cache.Set((string)null!, "value"u8));
        Assert.Throws<ArgumentNullException>(() => Cache.Add((string)null!, "value"u8));
    }

    [Fact]
    public void Tags_are_captured_from_a_span()
    {
        string[] names = TestCache.TagsApart(Cache, 3);
        Assert.Equal(Cache.CaptureTags(names).ToString(), Cache.CaptureTags(names.AsSpan()).ToString());
        Assert.Equal(CacheTags.Of(names).ToString(), CacheTags.Of(names.AsSpan()).ToString());
        CacheTags tags = Cache.CaptureTags(names.AsSpan(1));
        Cache.Set("key", "value"u8, new() { Tags = tags });
        Cache.RemoveByTag(names[0]);
        Assert.True(Cache.Contains("key") && Cache.AreCurrent(tags));
        Cache.RemoveByTag(names[2]);
        Assert.False(Cache.Contains("key") || Cache.AreCurrent(tags));
        Assert.Throws<ArgumentException>(() => Cache.CaptureTags(new string[] { "tag", null! }.AsSpan()));
        Assert.Throws<ArgumentOutOfRangeException>(() => Cache.CaptureTags(new string[64].AsSpan()));
        Assert.Throws<ArgumentNullException>(() => Cache.CaptureTags((string[])null!));
    }
}
