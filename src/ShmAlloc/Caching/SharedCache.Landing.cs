using ShmAlloc.Disposal;
using ShmAlloc.Layout;
using ShmAlloc.Memory;

namespace ShmAlloc.Caching;

/// <content>How a flight begins and ends that somebody else steers, and what one may give out meanwhile.</content>
public sealed unsafe partial class SharedCache
{
    /// <summary>
    /// Begins to work out the value of a key, if nobody does: for those who build more upon it than <c>GetOrAdd</c> is. Waits for nobody.
    /// </summary>
    /// <param name="key">The key: at most 65,535 bytes.</param>
    /// <param name="flight">The flight, if the answer is <see cref="CacheStatus.Ok"/>: to be completed or disposed.</param>
    /// <param name="tags">Of the value. Those that are given by their names are captured after the flight has begun.</param>
    /// <param name="retryAfter">How long others do not try again who have a stale value, if it ends without one: by default 1 second.</param>
    /// <returns>
    /// <see cref="CacheStatus.Ok"/>; <see cref="CacheStatus.Exists"/>: there is a value, and it is not due; <see cref="CacheStatus.Computing"/>: somebody else
    /// works it out, or each process works for itself for a second, because it could not be stored; or why it cannot be said that this caller works:
    /// then work it out, and do not store it.
    /// </returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    /// <example>
    /// <code>
    /// if (cache.BeginFlight(key, out CacheFlight? flight) == CacheStatus.Ok)
    /// {
    ///     using (flight)
    ///     {
    ///         flight.Complete(await LoadAsync(), new CacheEntryOptions { Lifetime = TimeSpan.FromMinutes(1) });
    ///     }
    /// }
    /// </code>
    /// </example>
    public CacheStatus BeginFlight(
        ReadOnlySpan<byte> key, out CacheFlight? flight, in CacheTags tags = default, TimeSpan? retryAfter = null)
    {
        TimeSpan pause = retryAfter ?? CacheFlightOptions.DefaultRetryAfter;
        ArgumentOutOfRangeException.ThrowIfLessThan(pause, TimeSpan.Zero, nameof(retryAfter));
        using Visit visit = Enter();
        Heap.OwnFlights.Begin();
        try
        {
            return TryBegin(key, tags, pause, out flight);
        }
        finally
        {
            Heap.OwnFlights.IsDone();
        }
    }

    private CacheStatus TryBegin(ReadOnlySpan<byte> key, in CacheTags tags, TimeSpan pause, out CacheFlight? flight)
    {
        CacheTags places = Capture(tags);
        fixed (byte* bytes = key)
        {
            CacheKey found = KeyOf(bytes, key.Length);
            fixed (ulong* slots = places.Captured)
            {
                FlightRequest request = new()
                {
                    Mine = Flight<Hardware>.Name(_heap),
                    Refreshes = true,
                    Flags = _clock != null ? ItemShape.OwnClock : 0,
                    Tags = slots,
                    TagCount = places.Captured?.Length ?? 0,
                };
                FlightLook look = Flight<Hardware>.Begin(_heap, _table, found, request, Now);
                GiveUpIfLeftOwned(look, found.Hash);
                flight = look.State == FlightState.Begun ? new CacheFlight(this, key.ToArray(), look, CapturedAnew(tags, places), pause) : null;
                return look.State switch
                {
                    FlightState.Begun => CacheStatus.Ok,
                    FlightState.Value => CacheStatus.Exists,
                    FlightState.Impossible => Checked(look.Status),
                    _ => CacheStatus.Computing,
                };
            }
        }
    }

    /// <inheritdoc cref="BeginFlight(ReadOnlySpan{byte}, out CacheFlight, in CacheTags, TimeSpan?)"/>
    public CacheStatus BeginFlight(string key, out CacheFlight? flight, in CacheTags tags = default, TimeSpan? retryAfter = null)
    {
        ArgumentNullException.ThrowIfNull(key);
        return BeginFlight(TextKey.Utf8(key, []), out flight, tags, retryAfter);
    }

    /// <summary>The value takes the place of what its flight saw. A heap that was disposed meanwhile is no reason to throw: the value is good.</summary>
    internal CacheFlightOutcome Land(byte[] key, ReadOnlySpan<byte> value, in CacheEntryOptions options, ref FlightLook look, bool marks, out CacheMark mark)
    {
        mark = default;
        using Visit visit = new(Heap);
        if (visit.Heap != _heap)
        {
            return CacheFlightOutcome.Unavailable;
        }

        ulong now = Now;
        ulong* tags = stackalloc ulong[ItemShape.MaxTags];
        if (!TryTranslate(options, now, tags, out ItemOptions item))
        {
            return CacheFlightOutcome.Expired;
        }

        CacheStatus status;
        fixed (byte* bytes = key, from = value)
        {
            CacheKey found = KeyOf(bytes, key.Length);
            status = Flight<Hardware>.Complete(
                _heap, _table, found, from, (uint)value.Length, item, ref look, now, new Clock(this), out ulong made);
            if (status == CacheStatus.Ok && marks)
            {
                mark = MarkIf(found, made);
            }
        }

        return status switch
        {
            CacheStatus.Ok => CacheFlightOutcome.Stored,
            CacheStatus.Changed => CacheFlightOutcome.Changed,
            CacheStatus.NoRoom => CacheFlightOutcome.NoRoom,
            CacheStatus.TooLarge => CacheFlightOutcome.TooLarge,
            _ => CacheFlightOutcome.Unavailable,
        };
    }

    /// <summary>Lets others work on what a flight has not stored: now, or as soon as nobody is in the way.</summary>
    /// <param name="key">The key.</param>
    /// <param name="stamp">Of the item that its word belongs to.</param>
    /// <param name="word">What the flight has written there.</param>
    /// <param name="rest">Milliseconds for which others leave it.</param>
    /// <param name="hasFailed">Whether callers that take a stale value need not try meanwhile.</param>
    internal void GiveUp(byte[] key, ulong stamp, WorkWord word, ulong rest, bool hasFailed)
    {
        using Visit visit = new(Heap);
        if (visit.Heap != _heap)
        {
            return;
        }

        ulong now = NowIfAny(ref rest);
        WorkWord next = FlightEnding.WordOf(rest, hasFailed, now);
        ulong hash = HashOf(key);
        if (!Flight<Hardware>.TryGiveUp(_heap, _table, hash, stamp, word, next))
        {
            Heap.FlightWatch.EndLater(new UnendedFlight(this, hash, stamp, word, next));
        }
    }

    /// <returns>False: others are in the way. A flight whose heap has ended has given up with that.</returns>
    internal bool TryGiveUp(in UnendedFlight flight)
    {
        using Visit visit = new(Heap);
        return visit.Heap != _heap
            || Flight<Hardware>.TryGiveUpOnce(_heap, _table, flight.Hash, flight.Stamp, flight.Word, flight.Next, waits: false);
    }

    /// <summary>A begin has failed, and nobody could be told that.</summary>
    private void GiveUpIfLeftOwned(in FlightLook look, ulong hash)
    {
        if (look.IsLeftOwned)
        {
            Heap.FlightWatch.EndLater(new UnendedFlight(this, hash, look.Stamp, look.Word, WorkWord.NotBefore(0)));
        }
    }

    /// <summary>A clock that throws is no reason to keep others waiting; they need not rest then.</summary>
    private ulong NowIfAny(ref ulong rest)
    {
        try
        {
            return rest == 0 ? 0 : Now;
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            rest = 0;
            return 0;
        }
    }

    /// <summary>Marks the value of a key, if it is the one with a stamp.</summary>
    private CacheMark MarkIf(in CacheKey key, ulong stamp)
    {
        CacheStatus status = CacheReader<Hardware>.TryReadAnywhere(_heap, _table, key, null, 0, out ItemFacts facts, isUse: false);
        return status is CacheStatus.Ok or CacheStatus.BufferTooSmall && facts.Stamp == stamp ? MarkOf(facts) : default;
    }

    /// <summary>What there is, although it may have expired; null if it is damaged, or nothing.</summary>
    private byte[]? ReadAnyway(ReadOnlySpan<byte> key, bool isUse, out ItemFacts facts, out bool isDamaged)
    {
        byte[] value = [];
        fixed (byte* bytes = key)
        {
            CacheKey found = KeyOf(bytes, key.Length);
            for (Retry retry = Retry.Begin(_heap); ;)
            {
                CacheStatus status;
                fixed (byte* to = value)
                {
                    status = CacheReader<Hardware>.TryReadAnyway(_heap, _table, found, to, (ulong)value.Length, isUse, out facts, out isDamaged);
                    isDamaged |= facts.Shape.ValueBytes > Array.MaxLength;
                    if (status == CacheStatus.Ok && !isDamaged)
                    {
                        return value.Length == (int)facts.Shape.ValueBytes ? value : value[..(int)facts.Shape.ValueBytes];
                    }
                }

                if (isDamaged || status is not (CacheStatus.BufferTooSmall or CacheStatus.Contended) || !TryAgain(ref retry))
                {
                    return null;
                }

                value = status == CacheStatus.BufferTooSmall ? GC.AllocateUninitializedArray<byte>((int)facts.Shape.ValueBytes) : value;
            }
        }
    }
}
