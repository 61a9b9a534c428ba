using ShmAlloc.Caching;
using ShmAlloc.Tests.Support;

namespace ShmAlloc.Tests.Caching;

/// <summary>
/// Somebody is halted whenever it is about to look at the clock, for as long as it takes others to change the key in time, and the first value to expire.
/// </summary>
public sealed class HaltedTests : IDisposable
{
    private const int Lifetime = 100;

    private static readonly CacheFlightOptions Stale = new() { WaitLimit = TimeSpan.FromMinutes(10), AllowStale = true };

    private readonly HaltingClock _halting = new();
    private readonly ManualClock _clock = new();
    private readonly TestHeap _heap = new(new ShmHeapOptions { SizeBytes = TestCache.DefaultBytes });
    private SharedCache _cache;
    private SharedCache _others;

    public HaltedTests() => (_cache, _others) = Open("plain", checksums: false);

    /// <summary>What may be asked of a key, and what the first value is like.</summary>
    public static MatrixTheoryData<string, string> Questions => new(
        ["get", "get into a buffer", "append", "contains", "lease", "refresh", "increment", "get or add"],
        ["plain", "tagged", "pinned", "with a checksum"]);

    private static byte[] Five => BitConverter.GetBytes(5L);

    public void Dispose() => _heap.Dispose();

    [Theory]
    [MemberData(nameof(Questions))]
    public void A_key_that_had_a_value_all_the_time_is_not_missed(string question, string first)
    {
        (_cache, _others) = Open("another", checksums: first == "with a checksum");
        AtEveryReading(() =>
        {
            _others.Set("key"u8, Five, OptionsOf(first));
            return () =>
            {
                Pass(Lifetime / 2);
                _others.Set("key"u8, Five);
                Pass(Lifetime);
            };
        }, () => Assert.True(IsThere(question)));
    }

    [Theory]
    [InlineData("get")]
    [InlineData("get into a buffer")]
    [InlineData("contains")]
    [InlineData("lease")]
    [InlineData("refresh")]
    public void A_value_that_was_renewed_in_time_is_not_missed(string question) => AtEveryReading(() =>
    {
        _others.Set("key"u8, Five, new() { SlidingExpiration = TimeSpan.FromMilliseconds(Lifetime) });
        return () =>
        {
            Pass(Lifetime - 1);
            Assert.Equal(CacheStatus.Ok, _others.Refresh("key"u8));
            Pass(Lifetime - 1);
        };
    }, () => Assert.True(IsThere(question)));

    [Fact]
    public void A_stale_value_that_was_removed_does_not_come_back() => AtEveryReading(() =>
    {
        _others.Set("key"u8, "old"u8, new() { Lifetime = TimeSpan.FromMilliseconds(Lifetime), StaleFor = TimeSpan.FromHours(1) });
        Pass(Lifetime);
        return () =>
        {
            _others.Set("key"u8, "newer"u8);
            Assert.Equal(CacheStatus.Ok, _others.Remove("key"u8));
        };
    }, () => _cache.GetOrAdd(
        "key",
        _ =>
        {
            // Whoever allows a stale value and need not wait has one only if nobody has come in between.
            Bytes.Equal(_halting.IsUnused ? "old"u8 : "another"u8, _others.GetOrAdd("key", _ => "another"u8.ToArray(), default, Stale with { WaitLimit = TimeSpan.Zero }));
            return "value"u8.ToArray();
        },
        default,
        Stale));

    [Fact]
    public void A_value_that_was_set_in_place_of_a_damaged_one_stays()
    {
        (_cache, _others) = Open("another", checksums: true);
        AtEveryReading(() =>
        {
            _others.Set("key"u8, "damaged"u8);
            Assert.Equal(CacheStatus.Ok, _others.Lease("key"u8, out var lease));
            using (lease)
            {
                Scribble(lease.Value);
            }

            return () => _others.Set("key"u8, "mended"u8, new() { Pinned = true });
        }, () =>
        {
            _cache.GetOrAdd("key", _ => "value"u8.ToArray());
            Bytes.Equal(_halting.IsUnused ? "value"u8 : "mended"u8, _others.Get("key"u8));
        });
    }

    /// <summary>The cache of the one that is halted, and of others who are not.</summary>
    private (SharedCache Cache, SharedCache Others) Open(string name, bool checksums) => (
        SharedCache.Open(_heap.Heap, name, new SharedCacheOptions { Clock = _halting, Checksums = checksums, Capacity = 1000 }),
        SharedCache.Open(_heap.Heap, name, new SharedCacheOptions { Clock = _clock, Checksums = checksums, Capacity = 1000 }));

    private static CacheEntryOptions OptionsOf(string first) => new()
    {
        Lifetime = TimeSpan.FromMilliseconds(Lifetime),
        Tags = first == "tagged" ? CacheTags.Of("tag") : default,
        Pinned = first == "pinned",
    };

    private static unsafe void Scribble(ReadOnlySpan<byte> value)
    {
        fixed (byte* bytes = value)
        {
            bytes[0] ^= 1;
        }
    }

    /// <summary>Repeats an action until it is over before it is halted.</summary>
    /// <param name="prepare">What happens before; it says what happens meanwhile.</param>
    /// <param name="act">Of the one that is halted.</param>
    private void AtEveryReading(Func<Action> prepare, Action act)
    {
        var readings = 0;
        do
        {
            _others.Remove("key"u8);
            _halting.Halt(readings++, prepare());
            act();
            Assert.InRange(readings, 1, 30);
        }
        while (!_halting.IsUnused);

        Assert.True(readings > 1, "It never looked at the clock.");
    }

    private void Pass(int milliseconds)
    {
        _clock.Advance(milliseconds);
        _halting.Advance(milliseconds);
    }

    private bool IsThere(string question)
    {
        switch (question)
        {
            case "get":
                return _cache.Get("key"u8) != null;
            case "get into a buffer":
                return _cache.TryGet("key"u8, new byte[8], out _);
            case "append":
                return _cache.TryGet("key"u8, new System.Buffers.ArrayBufferWriter<byte>());
            case "contains":
                return _cache.Contains("key"u8);
            case "lease":
                var status = _cache.Lease("key"u8, out var lease);
                lease.Dispose();
                return status == CacheStatus.Ok;
            case "refresh":
                return _cache.Refresh("key"u8) == CacheStatus.Ok;
            case "increment":
                return _cache.Increment("key"u8, 7, out var sum) == CacheStatus.Ok && sum == 12 && _others.Get("key"u8)?[0] == 12;
            default:
                return _cache.GetOrAdd("key"u8, 0, _ => throw new InvalidOperationException("It was not missing.")) is { Length: 8 };
        }
    }
}
