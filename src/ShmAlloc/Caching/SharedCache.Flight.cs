using System.Diagnostics;
using ShmAlloc.Disposal;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <content>Values that are worked out once.</content>
public sealed unsafe partial class SharedCache
{
    private static readonly TimeSpan LongestSleep = TimeSpan.FromMilliseconds(4);
    private static readonly TimeSpan BetweenRecoveries = TimeSpan.FromMilliseconds(5);

    /// <summary>
    /// The value of a key; if it has none, the factory works it out, in one thread of one process at a time. If that process dies, another takes over at once.
    /// A value that was worked out while the key or one of its tags was removed is returned, and not stored.
    /// </summary>
    /// <typeparam name="TState">What the factory is given.</typeparam>
    /// <param name="key">The key: at most 65,535 bytes.</param>
    /// <param name="state">What the factory is given.</param>
    /// <param name="factory">Works the value out. It may take as long as it likes, and use this cache, but must not ask for the same key.</param>
    /// <param name="options">How long the value lives, counted from when it is set. Its tags are captured before the factory runs.</param>
    /// <param name="flight">What those do who wait.</param>
    /// <returns>The value. If it could not be stored, for want of room for instance, it is returned all the same.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public byte[] GetOrAdd<TState>(
        ReadOnlySpan<byte> key, TState state, Func<TState, byte[]> factory, in CacheEntryOptions options = default, in CacheFlightOptions flight = default)
    {
        ArgumentNullException.ThrowIfNull(factory);
        ThrowIfOver(options);
        return Get(key) ?? Fly(key, state, factory, options with { Tags = Capture(options.Tags) }, flight);
    }

    /// <inheritdoc cref="GetOrAdd{TState}(ReadOnlySpan{byte}, TState, Func{TState, byte[]}, in CacheEntryOptions, in CacheFlightOptions)"/>
    public byte[] GetOrAdd(
        string key, Func<string, byte[]> factory, in CacheEntryOptions options = default, in CacheFlightOptions flight = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        Span<byte> buffer = stackalloc byte[TextKey.ShortBytes];
        return GetOrAdd(TextKey.Utf8(key, buffer), key, factory, options, flight);
    }

    /// <inheritdoc cref="GetOrAdd{TState}(ReadOnlySpan{byte}, TState, Func{TState, byte[]}, in CacheEntryOptions, in CacheFlightOptions)"/>
    /// <param name="key">The key: at most 65,535 bytes.</param>
    /// <param name="state">What the factory is given.</param>
    /// <param name="factory">Works the value out. It may take as long as it likes, and use this cache, but must not ask for the same key.</param>
    /// <param name="options">How long the value lives, counted from when it is set. Its tags are captured before the factory runs.</param>
    /// <param name="flight">What those do who wait.</param>
    /// <param name="cancellation">Ends the wait, and is handed to the factory.</param>
    public ValueTask<byte[]> GetOrAddAsync<TState>(
        ReadOnlyMemory<byte> key,
        TState state,
        Func<TState, CancellationToken, ValueTask<byte[]>> factory,
        CacheEntryOptions options = default,
        CacheFlightOptions flight = default,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(factory);
        ThrowIfOver(options);
        byte[]? value = Get(key.Span);
        return value != null
            ? ValueTask.FromResult(value)
            : FlyAsync(key, state, factory, options with { Tags = Capture(options.Tags) }, flight, cancellation);
    }

    private byte[] Fly<TState>(
        ReadOnlySpan<byte> key, TState state, Func<TState, byte[]> factory, in CacheEntryOptions options, in CacheFlightOptions flight)
    {
        Waiting waiting = new(flight);
        while (true)
        {
            FlightState begun = TryFly(key, options, flight.AllowStale, out byte[]? value, out NewItem placeholder);
            if (begun == FlightState.Landed)
            {
                return value!;
            }

            if (begun == FlightState.Overtaken)
            {
                continue;
            }

            if (begun == FlightState.Taken && !waiting.IsOver)
            {
                Thread.Sleep(waiting.NextSleep(Heap));
                continue;
            }

            try
            {
                value = factory(state) ?? throw NoValue();
            }
            catch when (begun == FlightState.Begun)
            {
                GiveUp(placeholder);
                throw;
            }

            Land(key, value, options, placeholder, isOurs: begun == FlightState.Begun);
            return value;
        }
    }

    private static InvalidOperationException NoValue() => new("The factory returned null; an empty array is a value.");

    private enum FlightState
    {
        /// <summary>There is a value.</summary>
        Landed,

        /// <summary>Somebody else is at it.</summary>
        Taken,

        /// <summary>The stale value has gone meanwhile: to be tried again at once.</summary>
        Overtaken,

        /// <summary>It is ours to work out.</summary>
        Begun,

        /// <summary>There is no room, or no cell, to say so.</summary>
        Impossible,
    }

    private FlightState TryFly(ReadOnlySpan<byte> key, in CacheEntryOptions options, bool allowStale, out byte[]? value, out NewItem placeholder)
    {
        placeholder = default;
        using Visit visit = Enter();
        CacheStatus found = Get(key, [], counts: false, out _, out _);
        value = found == CacheStatus.Ok ? [] : found == CacheStatus.BufferTooSmall ? GetArray(key, counts: false, out _) : null;
        if (value != null)
        {
            return FlightState.Landed;
        }

        byte[] stale = ReadStale(key, out ItemFacts facts, out bool isDamaged) ?? [];
        if (facts.Shape.Is(ItemShape.Placeholder))
        {
            value = stale;
            placeholder.Stamp = facts.Stamp;
            return allowStale && stale.Length > 0 ? FlightState.Landed : FlightState.Taken;
        }

        if (isDamaged)
        {
            // Somebody wrote over it: nobody gets it any more.
            Remove(key, facts.Stamp);
        }

        // It belongs to the tags of the value that it will have, and of the stale one that it holds: when one is removed, that is gone as well.
        ulong now = Now;
        ulong* tags = stackalloc ulong[ItemShape.MaxTags];
        ItemOptions translated = Translate(options, now, tags);
        ItemOptions item = new() { Flags = ItemShape.Placeholder, Owner = ((ulong)_heap->Epoch << 32) | (uint)_heap->Slot };
        item.Flags |= translated.Flags & ItemShape.OwnClock;
        item.Tags = translated.Tags;
        item.TagCount = translated.TagCount;
        stale = allowStale && stale.Length > 0 && TryAddTagsOf(key, facts.Stamp, ref item) ? stale : [];
        if (_heap->ReadOnly || key.Length > ItemShape.MaxKeyBytes
            || TryBeginLasting(key, (uint)stale.Length, item, now, out placeholder) != CacheStatus.Ok)
        {
            placeholder = default;
            return FlightState.Impossible;
        }

        stale.CopyTo(new Span<byte>(placeholder.Value, stale.Length));
        CacheStatus status = Announce(key, placeholder, stale.Length > 0 ? facts.Stamp : 0, now);
        if (status != CacheStatus.Ok)
        {
            Cells<Hardware>.Release(_heap, placeholder.Cell);
            placeholder = default;
        }

        return Checked(status) switch
        {
            CacheStatus.Ok => FlightState.Begun,
            CacheStatus.Changed => FlightState.Overtaken,
            CacheStatus.Exists or CacheStatus.Computing or CacheStatus.Contended => FlightState.Taken,
            _ => FlightState.Impossible,
        };
    }

    private bool TryAddTagsOf(ReadOnlySpan<byte> key, ulong stamp, ref ItemOptions item)
    {
        fixed (byte* bytes = key)
        {
            return CacheCalls<Hardware>.AddTags(_heap, _table, KeyOf(bytes, key.Length), stamp, ref item) == CacheStatus.Ok;
        }
    }

    /// <summary>Says that this thread works a value out. A stale one that the placeholder holds must still be what the key has.</summary>
    private CacheStatus Announce(ReadOnlySpan<byte> key, in NewItem placeholder, ulong stale, ulong now)
    {
        fixed (byte* bytes = key)
        {
            CacheKey found = KeyOf(bytes, key.Length);
            CacheStatus status = Grips<Hardware>.TryTake(_heap, lasting: false, out int cell);
            if (status != CacheStatus.Ok)
            {
                NewItems<Hardware>.Abandon(_heap, placeholder);
                return status;
            }

            status = Flight<Hardware>.TryBegin(_heap, _table, found, placeholder, stale, now, Cells<Hardware>.AddressOf(_heap, _heap->Slot, cell));
            Cells<Hardware>.Release(_heap, cell);
            return status;
        }
    }

    /// <summary>
    /// The value takes the placeholder's place, if that is still there: ours, or that of somebody whom we waited for too long. Without one it is not
    /// stored: nobody knows what happened since it was worked out.
    /// </summary>
    private void Land(ReadOnlySpan<byte> key, byte[] value, in CacheEntryOptions options, in NewItem placeholder, bool isOurs)
    {
        // A flight of ours keeps the heap attached; the value of another is returned all the same.
        using Visit visit = new(Heap);
        if (visit.Heap != _heap)
        {
            return;
        }

        CacheStatus status = CacheStatus.Changed;
        ulong now = Now;
        ulong* tags = stackalloc ulong[ItemShape.MaxTags];
        if (placeholder.Stamp != 0 && TryTranslate(options, now, tags, out ItemOptions item))
        {
            Retry retry = Retry.Begin(_heap);
            fixed (byte* bytes = key, from = value)
            {
                CacheKey found = KeyOf(bytes, key.Length);
                do
                {
                    status = CacheStore<Hardware>.Put(
                        _heap, _table, found, from, (uint)value.Length, item, PutMode.Complete, placeholder.Stamp, now);
                }
                while (status == CacheStatus.Contended && TryAgain(ref retry));
            }
        }

        if (isOurs)
        {
            GiveUp(placeholder);
        }
    }

    /// <summary>Before anything is worked out: an expiry that is not in the future is misuse.</summary>
    private void ThrowIfOver(in CacheEntryOptions options)
    {
        using Visit visit = Enter();
        ulong* tags = stackalloc ulong[ItemShape.MaxTags];
        Translate(options with { Tags = default }, Now, tags);
    }

    /// <summary>False if the value would have expired by now: working it out took so long, which is nobody's fault.</summary>
    private bool TryTranslate(in CacheEntryOptions options, ulong now, ulong* tags, out ItemOptions item)
    {
        CacheEntryOptions rebased = options;
        TimeSpan left = options.AbsoluteExpiration is { } moment ? LeftUntil(moment) : TimeSpan.MaxValue;
        if (options.AbsoluteExpiration != null)
        {
            rebased = options with { AbsoluteExpiration = null, Lifetime = options.Lifetime < left ? options.Lifetime : left };
        }

        item = left <= TimeSpan.Zero ? default : Translate(rebased, now, tags);
        return left > TimeSpan.Zero;
    }

    /// <summary>Takes the placeholder away if it is still there, and lets go of it.</summary>
    private void GiveUp(in NewItem placeholder)
    {
        using Visit visit = new(Heap);
        if (visit.Heap == _heap)
        {
            Flight<Hardware>.GiveUp(_heap, _table, placeholder);
            Cells<Hardware>.Release(_heap, placeholder.Cell);
        }
    }

    /// <summary>What there is, although it has expired or is being worked out anew.</summary>
    private byte[]? ReadStale(ReadOnlySpan<byte> key, out ItemFacts facts, out bool isDamaged)
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
                    status = CacheReader<Hardware>.TryReadAnywhere(_heap, _table, found, to, (ulong)value.Length, out facts);
                    isDamaged = status == CacheStatus.Ok && facts.Shape.Is(ItemShape.Checked) && Checksum.Of(to, facts.Shape.ValueBytes) != facts.Checksum;
                    facts = status is CacheStatus.Ok or CacheStatus.BufferTooSmall ? facts : default;
                    isDamaged |= facts.Shape.ValueBytes > Array.MaxLength;
                    if (status == CacheStatus.Ok && !facts.IsTagRemoved && !isDamaged)
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

    /// <summary>Somebody who waits: sleeps longer and longer, and asks now and then whether the one who works is alive.</summary>
    private sealed class Waiting(in CacheFlightOptions options)
    {
        private readonly long _start = Stopwatch.GetTimestamp();
        private readonly TimeSpan _limit = options.WaitLimit ?? CacheFlightOptions.DefaultWaitLimit;
        private long _lastRecovery;
        private int _sleeps;

        internal bool IsOver => Stopwatch.GetElapsedTime(_start) >= _limit;

        internal TimeSpan NextSleep(ShmHeap heap)
        {
            if (Stopwatch.GetElapsedTime(_lastRecovery) >= BetweenRecoveries)
            {
                heap.RecoverDead();
                _lastRecovery = Stopwatch.GetTimestamp();
            }

            return TimeSpan.FromMilliseconds(Math.Min(LongestSleep.TotalMilliseconds, ++_sleeps));
        }
    }
}
