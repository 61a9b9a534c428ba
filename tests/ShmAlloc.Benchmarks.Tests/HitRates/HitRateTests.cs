using ShmAlloc.Benchmarks.HitRates;
using ShmAlloc.Benchmarks.HitRates.Policies;
using ShmAlloc.Benchmarks.HitRates.Traces;

namespace ShmAlloc.Benchmarks.Tests.HitRates;

/// <summary>
/// The cache itself beside other policies at equal bytes, on traces that are the same in every run. What differs from run to run is the seed of the heap,
/// which moves a hit rate by some tenths of a point.
/// </summary>
public sealed class HitRateTests
{
    private const int Requests = 300_000;

    /// <summary>The probation grows slowly from what is right for most traces to nearly all of the cache.</summary>
    private const int ManyRequests = 1_000_000;

    [Theory]
    [InlineData("Zipf 0.7", 0.02, Requests)]
    [InlineData("Zipf 0.9", 0.02, Requests)]
    [InlineData("Zipf 0.9", 0.1, Requests)]
    [InlineData("Zipf 0.9 and scans", 0.1, Requests)]
    [InlineData("popularity drifts", 0.1, Requests)]
    [InlineData("short lives", 0.1, ManyRequests)]
    [InlineData("sizes log-normal", 0.1, Requests)]
    [InlineData("popular is small", 0.1, Requests)]
    public void Ours_is_within_two_points_of_the_best_of_LRU_and_CLOCK_and_within_three_of_S3_FIFO(string title, double share, int requests)
    {
        Request[] trace = SyntheticTraces.All.Single(source => source.Title == title).Requests(requests);
        long bytes = (long)(share * WorkingSet.Of(trace).Bytes);
        double ours = HitRate(Contender.Ours);
        Assert.True(ours >= Math.Max(HitRate(Contender.Lru), HitRate(Contender.Clock)) - 0.02, $"{ours:P1}");
        Assert.True(ours >= Replay.Run(new S3Fifo(bytes), trace, bytes).HitRate - 0.03, $"{ours:P1}");

        double HitRate(Contender contender) => Replay.Run(contender, trace, bytes).HitRate;
    }

    /// <summary>LRU has nearly none: each key goes shortly before it is asked for.</summary>
    [Fact]
    public void Most_of_what_fits_of_a_loop_stays()
    {
        Request[] trace = SyntheticTraces.All.Single(source => source.Title == "loop").Requests(Requests);
        long bytes = (long)(0.8 * WorkingSet.Of(trace).Bytes);
        Assert.InRange(Replay.Run(Contender.Ours, trace, bytes).HitRate, 0.6, 0.8);
    }

    /// <summary>What came first stays, until something proves to be of more use.</summary>
    [Fact]
    public void A_loop_of_twice_the_cache_is_kept_from_its_first_round_on()
    {
        Request[] trace = [.. Enumerable.Range(0, 8000).Select(turn => new Request((ulong)(turn % 2000), 1000))];
        Assert.InRange(Replay.Run(Contender.Ours, trace, 1 << 20).HitRate, 0.35, 0.55);
    }
}
