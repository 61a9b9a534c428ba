using System.Security.Cryptography;
using ShmAlloc.Caching;
using ShmAlloc.Inspection;
using ShmAlloc.Tests.Caching;

namespace ShmAlloc.Tests.Inspection;

/// <summary>Inspecting a quiet heap through an attachment that may only read leaves every byte of the file as it was, and no slot taken.</summary>
public sealed class LookingOnlyTests : IDisposable
{
    private readonly TestCache _test = new(new SharedCacheOptions { Capacity = 700 });

    /// <summary>Kept: one that is forgotten is given up when it is collected.</summary>
    private readonly CacheFlight? _flight;

    public LookingOnlyTests()
    {
        for (var number = 0; number < 300; number++)
        {
            CacheEntryOptions options = new() { Tags = $"tag {number % 7}", SlidingExpiration = TimeSpan.FromHours(1) };
            _test.Cache.Set($"key {number}", TestCache.Value(number * 20, number), options);
        }

        _test.Cache.Set("short", "x"u8, new() { Lifetime = TimeSpan.FromMilliseconds(1) });
        _test.Cache.BeginFlight("coming", out _flight);
        _test.Heap.Reserve(500, out _);
        _test.Heap.Malloc(300_000);
        _test.Cache.RemoveByTag("tag 3");
        _test.Cache.GetStatistics();
    }

    public static TheoryData<string> Looks => [.. Inspections.All.Keys];

    public void Dispose()
    {
        _flight?.Dispose();
        _test.Dispose();
    }

    [Theory]
    [MemberData(nameof(Looks))]
    public void The_file_is_the_same_before_and_after(string look)
    {
        var before = Fingerprint();
        using (var reader = ShmHeap.AttachReadOnly(_test.Path))
        {
            Inspections.All[look](reader);
        }

        ShmFile.Examine(_test.Path);
        Assert.Equal(before, Fingerprint());
    }

    /// <summary>So that the other test can fail: what is no mere look shows.</summary>
    [Fact]
    public void A_get_that_is_counted_as_a_use_changes_the_fingerprint()
    {
        var before = Fingerprint();
        _test.Cache.Get("key 5");
        Assert.NotEqual(before, Fingerprint());
    }

    private string Fingerprint() => Convert.ToHexString(SHA256.HashData(File.ReadAllBytes(_test.Path)));
}
