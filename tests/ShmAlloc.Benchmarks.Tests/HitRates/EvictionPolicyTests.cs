using ShmAlloc.Benchmarks.HitRates;
using ShmAlloc.Benchmarks.HitRates.Policies;
using ShmAlloc.Benchmarks.HitRates.Traces;

namespace ShmAlloc.Benchmarks.Tests.HitRates;

/// <summary>Each policy on traces that can be checked by hand: entries of one byte, named by letters; a capital in the answer is a hit.</summary>
public sealed class EvictionPolicyTests
{
    public static TheoryData<string> Names => [.. Contender.All.Select(contender => contender.Name)];

    public static TheoryData<string> NamesOfBoundByBytes =>
        [.. Contender.All.Where(contender => contender.OfBytes is not null).Select(contender => contender.Name)];

    [Fact]
    public void LRU_evicts_the_least_recently_used() => Assert.Equal("abcAdAb", Replay(new Lru(3), "abcadab"));

    [Fact]
    public void CLOCK_gives_a_visited_entry_a_second_chance() => Assert.Equal("abcAdA", Replay(new Clock(3), "abcada"));

    [Fact]
    public void CLOCK_gives_the_second_chance_only_once() => Assert.Equal("abcAdefa", Replay(new Clock(3), "abcadefa"));

    [Fact]
    public void SIEVE_leaves_a_visited_entry_where_the_hand_has_already_been() => Assert.Equal("abcAdefA", Replay(new Sieve(3), "abcadefa"));

    [Fact]
    public void SIEVE_evicts_new_entries_that_nobody_asks_for_before_old_ones_that_somebody_did() =>
        Assert.Equal("abcdABefgAB", Replay(new Sieve(4), "abcdabefgab"));

    [Fact]
    public void S3_FIFO_filters_entries_that_are_asked_for_once() =>
        Assert.Equal("aAAbcdefghijklmnopqrstuvwxyzA", Replay(new S3Fifo(10), "aaabcdefghijklmnopqrstuvwxyza"));

    [Fact]
    public void S3_FIFO_lets_a_key_that_returns_soon_into_the_main_queue() =>
        Assert.Equal("abcdefghijkalmnopqrstuvwA", Replay(new S3Fifo(10), "abcdefghijkalmnopqrstuvwa"));

    [Theory]
    [MemberData(nameof(NamesOfBoundByBytes))]
    public void The_resident_bytes_never_exceed_the_capacity(string name)
    {
        const int capacity = 20 << 16;
        Func<long, long, IEvictionPolicy> make = Contender.All.Single(contender => contender.Name == name).OfBytes!;
        IEvictionPolicy policy = make(capacity, capacity / 1000);
        using IDisposable? disposable = policy as IDisposable;
        Draw draw = new(1);
        for (int turn = 0; turn < 50_000; turn++)
        {
            policy.Request((ulong)draw.Below(5000), 1 + draw.Below(draw.Below(100) == 0 ? 60_000 : 2000));
            Assert.InRange(policy.ResidentBytes, 1, capacity);
        }

        Assert.InRange(policy.ResidentBytes, capacity * 0.8, capacity);
    }

    [Theory]
    [MemberData(nameof(NamesOfBoundByBytes))]
    public void What_is_larger_than_the_cache_is_not_kept_and_evicts_nothing(string name)
    {
        Func<long, long, IEvictionPolicy> make = Contender.All.Single(contender => contender.Name == name).OfBytes!;
        IEvictionPolicy policy = make(1 << 17, 100);
        using IDisposable? disposable = policy as IDisposable;
        Assert.False(policy.Request(1, 1000));
        Assert.False(policy.Request(2, 1 << 18));
        Assert.False(policy.Request(2, 1 << 18));
        Assert.True(policy.Request(1, 1000));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_policy_finds_all_that_fits_when_it_is_asked_again(string name)
    {
        Request[] trace = [.. Enumerable.Range(0, 1000).Select(turn => new Request((ulong)turn % 100, 1000))];
        Outcome outcome = ShmAlloc.Benchmarks.HitRates.Replay.Run(Contender.All.Single(contender => contender.Name == name), trace, 1 << 20);
        Assert.Equal(1, outcome.HitRate);
    }

    [Theory]
    [InlineData("ConcurrentLru")]
    [InlineData("ConcurrentLfu")]
    public void A_policy_that_is_bounded_by_entries_gets_as_many_as_fill_the_same_bytes(string name)
    {
        Request[] trace = SyntheticTraces.All.Single(source => source.Title == "popular is small").Requests(50_000);
        long capacity = WorkingSet.Of(trace).Bytes / 10;
        Outcome outcome = ShmAlloc.Benchmarks.HitRates.Replay.Run(Contender.All.Single(contender => contender.Name == name), trace, capacity);
        Assert.InRange(outcome.ResidentShare, 0.9, 1.1);
    }

    private static string Replay(IEvictionPolicy policy, string trace) =>
        string.Concat(trace.Select(key => policy.Request(key, 1) ? char.ToUpperInvariant(key) : key));
}
