using ShmAlloc.Caching;
using ShmAlloc.Histories;

namespace ShmAlloc.ProcessTests.Forks;

/// <content>Values that are worked out, and such as a process keeps for itself as long as their marks are current.</content>
internal sealed partial class CacheVisitor
{
    private const int FirstComputedKey = 1 << 24;
    private const int ComputedKeys = 40;
    private const int OneInSoManyFails = 8;

    // A background refresh needs the thread pool, which a forked process does not have.
    private static readonly CacheFlightOptions Patient = new() { WaitLimit = TimeSpan.FromHours(1), RefreshesInline = true, RetryAfter = TimeSpan.FromMilliseconds(1) };

    private readonly Dictionary<int, (CacheMark Mark, long Number)> _marks = [];

    /// <summary>Removes what only says that somebody works a value out; the values stay, to be counted.</summary>
    internal static void RemovePlaceholders(SharedCache cache)
    {
        for (var number = 0; number < ComputedKeys; number++)
        {
            RemovePlaceholder(cache, FirstComputedKey + number);
        }
    }

    internal static void RemovePlaceholder(SharedCache cache, int key)
    {
        var bytes = BitConverter.GetBytes(key);
        if (!cache.Contains(bytes))
        {
            cache.Remove(bytes);
        }
    }

    /// <summary>What was kept counts as read if its mark is current.</summary>
    private void GetMarked(int key)
    {
        log.Begin(Reading, key);
        if (_marks.TryGetValue(key, out var kept) && cache.IsCurrent(kept.Mark))
        {
            End(CacheStatus.Ok, CacheDeed.Mark, kept.Number, Outcome.Found);
            return;
        }

        _marks.Remove(key);
        var status = cache.GetMarked(_key, Buffer, out var length, out CacheMark mark);
        if (status != CacheStatus.Ok)
        {
            End(status, CacheDeed.Get);
            return;
        }

        var number = CacheValue.NumberOf(Buffer.AsSpan(0, length));
        End(status, CacheDeed.Get, number, Outcome.Found);
        if (!mark.IsNone)
        {
            _marks.Add(key, (mark, number));
        }
    }

    /// <summary>Begins to work out what nobody has, does something else meanwhile, and stores the value, if there is still nothing.</summary>
    private void Fly(int key)
    {
        var number = NextNumber();
        var options = OptionsOf(number);
        if (cache.BeginFlight(_key, out var flight, options.Tags) != CacheStatus.Ok)
        {
            return;
        }

        using (flight)
        {
            for (var turn = random.Next(4); turn > 0 && log.Remaining > 4; turn--)
            {
                Look(isCounter: false);
            }

            if (random.Next(OneInSoManyFails) == 0)
            {
                return;
            }

            log.Begin(OperationKind.TryAdd, key, number);
            var value = Buffer.AsSpan(0, CacheValue.LengthOf(number));
            CacheValue.Fill(value, number);
            var outcome = flight!.Complete(value, options with { Tags = default });
            log.End(outcome == CacheFlightOutcome.Stored ? Outcome.Done : Outcome.Refused);
            CacheTally.Note(outcome == CacheFlightOutcome.Stored ? CacheDeed.Land : CacheDeed.Refused);
            if (outcome is not (CacheFlightOutcome.Stored or CacheFlightOutcome.Changed or CacheFlightOutcome.NoRoom))
            {
                throw new InvalidOperationException($"A value has landed: {outcome}.");
            }
        }
    }

    /// <summary>
    /// Keys of their own, which nobody sets: what comes back was worked out by somebody, for this key. Some of those that work it out fail; some values are
    /// due and stale in moments.
    /// </summary>
    private void Compute()
    {
        var key = FirstComputedKey + random.Next(ComputedKeys);
        BitConverter.TryWriteBytes(_key, key);
        if (random.Next(6) == 0)
        {
            cache.Remove(_key);
            return;
        }

        var isFleeting = forgets && key % 2 == 0;
        var fails = random.Next(isFleeting ? 2 : OneInSoManyFails) == 0;
        var isMine = false;
        byte[] value;
        try
        {
            value = cache.GetOrAdd(
                _key,
                key,
                asked =>
                {
                    isMine = true;
                    return fails ? throw new TimeoutException() : ValueOf(asked);
                },
                isFleeting ? Fleeting : default,
                Patient with { AllowStale = isFleeting && random.Next(4) != 0 });
        }
        catch (TimeoutException)
        {
            CacheTally.Note(CacheDeed.Fail);
            return;
        }

        CacheTally.Note(isMine && fails ? CacheDeed.FallBack : isMine ? CacheDeed.Compute : CacheDeed.Wait);
        if (CacheValue.NumberOf(value) != key)
        {
            throw new InvalidOperationException($"Key {key} has the value of another.");
        }
    }

    private CacheEntryOptions Fleeting => new()
    {
        Tags = CacheTags.Of(Tag),
        Lifetime = TimeSpan.FromMilliseconds(2 + random.Next(LongestLifetimeMilliseconds)),
        RefreshAfter = TimeSpan.FromMilliseconds(1),
        StaleFor = TimeSpan.FromHours(1),
    };

    private static byte[] ValueOf(int key)
    {
        var made = new byte[CacheValue.LengthOf(key)];
        CacheValue.Fill(made, key);
        return made;
    }
}
