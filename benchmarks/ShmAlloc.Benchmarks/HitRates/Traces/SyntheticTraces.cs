namespace ShmAlloc.Benchmarks.HitRates.Traces;

/// <summary>The traces that are made up: each is drawn from its own seed, and is the same in every run.</summary>
internal static class SyntheticTraces
{
    /// <summary>A tenth of the requests of a full run.</summary>
    private const int Keys = 200_000;

    private const int KeyBytes = 16;
    private const int ValueBytes = 960;

    /// <summary>Keys at and above this are asked for by one loop or scan only.</summary>
    private const ulong Aside = 1UL << 40;

    private static readonly double[] SmallAndLarge = [0.01, 0.1];
    private static readonly double[] Large = [0.1];

    internal static IReadOnlyList<TraceSource> All { get; } =
    [
        new("Zipf 0.7", count => Stationary(1, count, 0.7, Equal), SmallAndLarge),
        new("Zipf 0.9", count => Stationary(2, count, 0.9, Equal), SmallAndLarge),
        new("Zipf 1.0", count => Stationary(3, count, 1.0, Equal), SmallAndLarge),
        new("Zipf 1.2", count => Stationary(4, count, 1.2, Equal), SmallAndLarge),
        new("Zipf 0.9 and scans", Scans, SmallAndLarge),
        new("Zipf 0.9 and a loop", ZipfAndLoop, Large),
        new("loop", Loop, [0.8, 0.95]),
        new("popularity drifts", Drift, SmallAndLarge),
        new("popularity shifts", Shift, SmallAndLarge),
        new("short lives", ShortLives, SmallAndLarge),
        new("small values", count => Stationary(14, count, 0.9, (_, _) => 64), Large),
        new("sizes log-normal", count => Stationary(11, count, 0.9, LogNormal), SmallAndLarge),
        new("popular is small", count => Stationary(12, count, 0.9, PopularIsSmall), SmallAndLarge),
        new("popular is large", count => Stationary(13, count, 0.9, PopularIsLarge), SmallAndLarge),
    ];

    private static Request[] Stationary(ulong seed, int count, double exponent, Func<Draw, int, int> valueBytesOfRank)
    {
        Draw draw = new(seed);
        Zipf zipf = new(Keys, exponent);
        int[] keys = draw.Permutation(Keys);
        int[] sizes = new int[Keys];
        for (int rank = 0; rank < Keys; rank++)
        {
            sizes[rank] = Request.EntryBytes(KeyBytes, valueBytesOfRank(draw, rank));
        }

        return Fill(count, _ =>
        {
            int rank = zipf.Rank(draw);
            return new Request((ulong)keys[rank], sizes[rank]);
        });
    }

    /// <summary>Every 50,000 requests, 10,000 keys are read one after the other, each time others of 100,000: a fifth of the requests.</summary>
    private static Request[] Scans(int count)
    {
        Draw draw = new(5);
        Zipf zipf = new(Keys, 0.9);
        int[] keys = draw.Permutation(Keys);
        ulong next = 0;
        return Fill(count, turn => turn % 50_000 >= 40_000 ? OfEqualSize(Aside + (next++ % 100_000)) : OfEqualSize((ulong)keys[zipf.Rank(draw)]));
    }

    /// <summary>Half of the requests go round a loop that is 1.1 times as large as the cache of 10 %.</summary>
    private static Request[] ZipfAndLoop(int count)
    {
        Draw draw = new(6);
        Zipf zipf = new(Keys, 0.9);
        int[] keys = draw.Permutation(Keys);
        ulong length = Keys / 10 * 11 / 10;
        ulong next = 0;
        return Fill(count, _ => draw.Below(2) == 0 ? OfEqualSize(Aside + (next++ % length)) : OfEqualSize((ulong)keys[zipf.Rank(draw)]));
    }

    private static Request[] Loop(int count) => Fill(count, turn => OfEqualSize((ulong)(turn % (Keys / 10))));

    /// <summary>Every 20 requests a new key becomes the most popular one, and all others fall by one rank.</summary>
    private static Request[] Drift(int count)
    {
        Draw draw = new(8);
        Zipf zipf = new(Keys, 0.9);
        return Fill(count, turn => OfEqualSize((ulong)(Keys + (turn / 20) - zipf.Rank(draw))));
    }

    /// <summary>Ten times in the trace, every rank goes to another key.</summary>
    private static Request[] Shift(int count)
    {
        Draw draw = new(9);
        Zipf zipf = new(Keys, 0.9);
        int[] keys = [];
        return Fill(count, turn =>
        {
            if (turn % (count / 10) == 0)
            {
                keys = draw.Permutation(Keys);
            }

            return OfEqualSize((ulong)keys[zipf.Rank(draw)]);
        });
    }

    /// <summary>
    /// Every key is asked for four times and never again, with pauses of 10,000 requests on average: what LRU is made for, and a policy that
    /// believes in old favourites is not.
    /// </summary>
    private static Request[] ShortLives(int count)
    {
        Draw draw = new(10);
        PriorityQueue<ulong, double> due = new();
        ulong fresh = 0;
        return Fill(count, turn =>
        {
            if (!due.TryPeek(out _, out double when) || when > turn)
            {
                double at = turn;
                for (int again = 0; again < 3; again++)
                {
                    at += 1 + draw.Exponential(10_000);
                    due.Enqueue(fresh, at);
                }

                return OfEqualSize(fresh++);
            }

            return OfEqualSize(due.Dequeue());
        });
    }

    private static Request OfEqualSize(ulong key) => new(key, Request.EntryBytes(KeyBytes, ValueBytes));

    private static int Equal(Draw draw, int rank) => ValueBytes;

    /// <summary>Half are smaller than 300 bytes, one in 100 is larger than 10,000.</summary>
    private static int LogNormal(Draw draw, int rank) => Clamp(300 * Math.Exp(1.5 * draw.Normal()));

    private static int PopularIsSmall(Draw draw, int rank) => Clamp(40 * Math.Pow(1 + rank, 0.35) * Math.Exp(0.5 * draw.Normal()));

    private static int PopularIsLarge(Draw draw, int rank) => Clamp(30_000 * Math.Pow(1 + rank, -0.35) * Math.Exp(0.5 * draw.Normal()));

    private static int Clamp(double bytes) => (int)Math.Clamp(bytes, 1, 32_768);

    private static Request[] Fill(int count, Func<int, Request> next)
    {
        Request[] requests = new Request[count];
        for (int turn = 0; turn < count; turn++)
        {
            requests[turn] = next(turn);
        }

        return requests;
    }
}
