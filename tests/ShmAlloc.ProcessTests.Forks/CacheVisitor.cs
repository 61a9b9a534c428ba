using ShmAlloc.Caching;
using ShmAlloc.Histories;

namespace ShmAlloc.ProcessTests.Forks;

/// <summary>
/// One worker of a storm that does random things to a cache and records them: a few for each round, so that every kill finds everybody in the middle of
/// something; in between it only reads. Keys change with the rounds, and the first of each set of keys is a number to increment.
/// </summary>
/// <param name="cache">The cache.</param>
/// <param name="log">Where to record.</param>
/// <param name="worker">Whose log it is.</param>
/// <param name="random">What to do.</param>
/// <param name="forgets">Whether values may vanish: then all have one tag, which is removed now and then, and many do not live long.</param>
internal sealed partial class CacheVisitor(SharedCache cache, WorkerLog log, int worker, Random random, bool forgets)
{
    internal const int OperationsPerRound = 150;
    internal const int RoundsPerKeySet = 15;
    internal const int KeysPerSet = 12;

    private const int MostLeases = 5;
    private const string Tag = "storm";
    private const int LongestLifetimeMilliseconds = 30;
    private const int WritesForEachTagRemoval = 400;

    private static readonly byte[] Buffer = new byte[CacheValue.LongestBytes];

    // Of this process, however often it comes and goes.
    private static long _round = -1;
    private static int _left;

    private readonly byte[] _key = new byte[sizeof(int)];
    private readonly List<(CacheLease Lease, long Number)> _leases = new(MostLeases);

    /// <summary>How many operations a log must have room for.</summary>
    internal static int OperationsOf(int rounds) => (rounds + 2) * (OperationsPerRound + 2);

    /// <summary>Which values may expire: of the others, the number says it.</summary>
    internal static bool CanExpire(int key, long value) => key % KeysPerSet == 0 || CacheTally.Expires(value);

    /// <summary>Which values slide.</summary>
    internal static bool CanSlide(int key, long value) => key % KeysPerSet != 0 && CacheTally.Slides(value);

    /// <summary>What only reads may renew what it finds, where something slides and it may write.</summary>
    private OperationKind Reading => forgets && !cache.Heap.IsReadOnly ? OperationKind.Renew : OperationKind.Get;

    internal void Step()
    {
        if (Volatile.Read(ref CacheTally.Round) is var round && round != _round)
        {
            (_round, _left) = (round, OperationsPerRound);
        }

        var number = random.Next(KeysPerSet);
        var key = (int)(_round / RoundsPerKeySet * KeysPerSet) + number;
        BitConverter.TryWriteBytes(_key, key);
        if (_left <= 0 || log.Remaining < 2)
        {
            Look(number == 0);
        }
        else if (cache.Heap.IsReadOnly)
        {
            _left--;
            if (number != 0 && random.Next(2) == 0)
            {
                GetMarked(key);
            }
            else
            {
                Get(key, number == 0);
            }
        }
        else
        {
            _left--;
            Write(key, number == 0);
        }
    }

    /// <summary>Reads a key, and records that.</summary>
    internal void Get(int key)
    {
        BitConverter.TryWriteBytes(_key, key);
        Get(key, isCounter: key % KeysPerSet == 0);
    }

    /// <summary>Before it leaves.</summary>
    internal void Release()
    {
        while (_leases.Count > 0)
        {
            ReleaseLast();
        }
    }

    private void Write(int key, bool isCounter)
    {
        if (forgets && random.Next(WritesForEachTagRemoval) == 0)
        {
            log.Begin(OperationKind.ClearAll, 0);
            End(cache.RemoveByTag(Tag), CacheDeed.RemoveTag);
            return;
        }

        switch (random.Next(30))
        {
            case < 5:
                Get(key, isCounter);
                break;
            case < 7 when !isCounter:
                Lease(key);
                break;
            case 7:
                Compute();
                break;
            case < 11:
                log.Begin(OperationKind.Remove, key);
                End(cache.Remove(_key), CacheDeed.Remove);
                break;
            case var _ when isCounter:
                log.Begin(OperationKind.Increment, key, _left);
                var status = cache.Increment(_key, _left, out var sum, OptionsOf(NextNumber()));
                End(status, CacheDeed.Increment, sum);
                break;
            case < 15:
                var value = NewValue(out var argument);
                log.Begin(OperationKind.Set, key, argument);
                End(cache.Set(_key, value, OptionsOf(argument)), CacheDeed.Set);
                break;
            case < 18:
                Reserve(key);
                break;
            case < 21:
                value = NewValue(out argument);
                log.Begin(OperationKind.TryAdd, key, argument);
                End(cache.Add(_key, value, OptionsOf(argument)), CacheDeed.Add);
                break;
            case < 24:
                Replace(key);
                break;
            case < 28:
                GetMarked(key);
                break;
            default:
                Fly(key);
                break;
        }
    }

    /// <summary>Reads without recording it, which changes nothing.</summary>
    private void Look(bool isCounter)
    {
        var status = cache.Get(_key, Buffer, out var length, out CacheVersion _);
        if (status == CacheStatus.Ok && !isCounter)
        {
            CacheValue.NumberOf(Buffer.AsSpan(0, length));
        }

        Thread.Yield();
    }

    private long? Get(int key, bool isCounter)
    {
        log.Begin(Reading, key);
        var status = cache.Get(_key, Buffer, out var length, out CacheVersion version);
        Version = version;
        if (status != CacheStatus.Ok)
        {
            End(status, CacheDeed.Get);
            return null;
        }

        var value = Buffer.AsSpan(0, length);
        var number = isCounter ? BitConverter.ToInt64(value) : CacheValue.NumberOf(value);
        End(status, CacheDeed.Get, number, Outcome.Found);
        return number;
    }

    private CacheVersion Version { get; set; }

    private void Replace(int key)
    {
        if (Get(key, isCounter: false) is { } expected)
        {
            var value = NewValue(out var argument);
            log.Begin(OperationKind.ReplaceIfUnchanged, key, argument, expected);
            End(cache.Replace(_key, value, Version, OptionsOf(argument)), CacheDeed.Replace);
        }
    }

    private void Lease(int key)
    {
        if (_leases.Count == MostLeases)
        {
            ReleaseLast();
        }

        log.Begin(Reading, key);
        var status = cache.Lease(_key, out var lease);
        if (status != CacheStatus.Ok)
        {
            End(status, CacheDeed.Lease);
            return;
        }

        var number = CacheValue.NumberOf(lease.Value);
        End(status, CacheDeed.Lease, number, Outcome.Found);
        _leases.Insert(0, (lease, number));
    }

    private void ReleaseLast()
    {
        var (lease, number) = _leases[^1];
        _leases.RemoveAt(_leases.Count - 1);
        if (CacheValue.NumberOf(lease.Value) != number)
        {
            throw new InvalidOperationException($"Value {number} changed while it was leased.");
        }

        lease.Dispose();
    }

    private void Reserve(int key)
    {
        var number = NextNumber();
        var status = cache.Reserve(_key, CacheValue.LengthOf(number), out var reservation, OptionsOf(number));
        if (reservation == null)
        {
            Refuse(status);
            return;
        }

        CacheValue.Fill(reservation.Value, number);
        if (random.Next(3) == 0)
        {
            reservation.Dispose();
            CacheTally.Note(CacheDeed.Abandon);
            return;
        }

        log.Begin(OperationKind.Set, key, number);
        End(reservation.Commit(), CacheDeed.Commit);
    }

    private long NextNumber() => CacheTally.NextNumber(worker, forgets && random.Next(3) == 0, slides: random.Next(2) == 0);

    /// <summary>Of a value that may vanish. What expires lives a moment; what does not slide may be stale for long after that.</summary>
    private CacheEntryOptions OptionsOf(long number)
    {
        if (!forgets)
        {
            return default;
        }

        CacheEntryOptions options = new() { Tags = CacheTags.Of(Tag) };
        var life = TimeSpan.FromMilliseconds(1 + random.Next(LongestLifetimeMilliseconds));
        return !CacheTally.Expires(number) ? options
            : CacheTally.Slides(number) ? options with { SlidingExpiration = life }
            : options with { Lifetime = life, StaleFor = random.Next(2) == 0 ? TimeSpan.FromHours(1) : null };
    }

    private ReadOnlySpan<byte> NewValue(out long number)
    {
        number = NextNumber();
        var value = Buffer.AsSpan(0, CacheValue.LengthOf(number));
        CacheValue.Fill(value, number);
        return value;
    }

    private void End(CacheStatus status, CacheDeed deed, long result = 0, Outcome done = Outcome.Done)
    {
        var outcome = status switch
        {
            CacheStatus.Ok => done,
            CacheStatus.Missing => Outcome.Missing,
            CacheStatus.Exists => Outcome.Exists,
            CacheStatus.Changed => Outcome.Changed,
            _ => Outcome.Refused,
        };
        log.End(outcome, result);
        if (outcome == Outcome.Refused)
        {
            Refuse(status);
            return;
        }

        CacheTally.NoteProgress(worker);
        if (status == CacheStatus.Ok)
        {
            CacheTally.Note(deed);
        }
    }

    /// <summary>Others may be in the way; anything else is none of the answers that a cache with room for it gives.</summary>
    private static void Refuse(CacheStatus status)
    {
        CacheTally.Note(CacheDeed.Refused);
        if (status is not (CacheStatus.Contended or CacheStatus.NoRoom))
        {
            throw new InvalidOperationException($"The cache answered {status}.");
        }
    }
}
