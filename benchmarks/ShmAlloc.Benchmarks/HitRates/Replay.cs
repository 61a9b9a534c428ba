using ShmAlloc.Benchmarks.HitRates.Policies;
using ShmAlloc.Benchmarks.HitRates.Traces;

namespace ShmAlloc.Benchmarks.HitRates;

/// <summary>What a replay found.</summary>
/// <param name="HitRate">Hits among the requests that count, 0 to 1.</param>
/// <param name="ResidentShare">The resident bytes per byte of capacity, on average over the requests that count.</param>
internal readonly record struct Outcome(double HitRate, double ResidentShare);

/// <summary>Runs a trace through a policy. The first fifth of the requests fills the cache and does not count.</summary>
internal static class Replay
{
    private const int Samples = 16;
    private const int MostTrials = 5;
    private const double Tolerance = 0.01;

    internal static Outcome Run(Contender contender, Request[] trace, long capacityBytes) => contender.OfBytes is { } make
        ? Run(make(capacityBytes, (long)(capacityBytes / MeanBytes(trace))), trace, capacityBytes)
        : WithEqualBytes(contender.OfEntries!, trace, capacityBytes);

    internal static Outcome Run(IEvictionPolicy policy, Request[] trace, long capacityBytes)
    {
        using IDisposable? disposable = policy as IDisposable;
        int begin = trace.Length / 5;
        int pause = Math.Max(1, (trace.Length - begin) / Samples);
        long hits = 0;
        int samples = 0;
        double resident = 0;
        for (int turn = 0; turn < trace.Length; turn++)
        {
            bool isHit = policy.Request(trace[turn].Key, trace[turn].SizeBytes);
            if (turn < begin)
            {
                continue;
            }

            hits += isHit ? 1 : 0;
            if ((turn - begin) % pause == 0)
            {
                samples++;
                resident += policy.ResidentBytes;
            }
        }

        return new Outcome((double)hits / Math.Max(1, trace.Length - begin), resident / Math.Max(1, samples) / capacityBytes);
    }

    /// <summary>Of the keys, or of the requests if that is less: what is popular may be small.</summary>
    private static double MeanBytes(Request[] trace)
    {
        (long keys, long bytes) = WorkingSet.Of(trace);
        return Math.Min((double)bytes / Math.Max(1, keys), trace.Average(request => (double)request.SizeBytes));
    }

    /// <summary>
    /// The number of entries is first the capacity divided by the mean size of the trace's keys; then it is corrected by what was resident, until
    /// that is within 1 % of the capacity. The last trial counts.
    /// </summary>
    private static Outcome WithEqualBytes(Func<int, IEvictionPolicy> make, Request[] trace, long capacityBytes)
    {
        (long keys, long bytes) = WorkingSet.Of(trace);
        double entries = (double)capacityBytes * keys / bytes;
        for (int trial = 1; ; trial++)
        {
            int count = Math.Max(CountBound.LeastEntries, (int)entries);
            Outcome outcome = Run(make(count), trace, capacityBytes);
            if (trial == MostTrials || count == CountBound.LeastEntries || Math.Abs(outcome.ResidentShare - 1) <= Tolerance)
            {
                return outcome;
            }

            entries /= outcome.ResidentShare;
        }
    }
}
