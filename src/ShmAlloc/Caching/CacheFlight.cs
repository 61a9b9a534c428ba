using System.Diagnostics.CodeAnalysis;
using ShmAlloc.Layout;

namespace ShmAlloc.Caching;

/// <summary>
/// The right to work out the value of a key, that one caller has at a time: see
/// <see cref="SharedCache.BeginFlight(ReadOnlySpan{byte}, out CacheFlight, in CacheTags, TimeSpan?)"/>.
/// It ends with <see cref="Complete(ReadOnlySpan{byte}, in CacheEntryOptions)"/>, or with <see cref="Dispose"/> or <see cref="Abandon"/>: then another may
/// work. If the process dies, others go on at once.
/// </summary>
/// <remarks>
/// It says only who need not work: whoever sets or removes the key, or one of the tags, takes the value's place, and the value is not stored. May be used by
/// any thread, by one at a time. It needs no cell, so there may be any number of them. One that is forgotten ends when it is collected.
/// </remarks>
public sealed class CacheFlight : IDisposable
{
    // Of what has happened so far; 0: nothing.
    private const int Ended = 1;
    private const int GivenUp = 2;

    private readonly SharedCache _cache;
    private readonly byte[] _key;
    private readonly ulong _pause;
    private readonly long _name;
    private FlightLook _look;
    private int _state;

    internal CacheFlight(SharedCache cache, byte[] key, in FlightLook look, CacheTags tags, TimeSpan pause)
    {
        _cache = cache;
        _key = key;
        _pause = (ulong)Math.Ceiling(pause.TotalMilliseconds);
        _look = look;
        Tags = tags;
        _name = Word.IsOwned ? cache.Heap.OwnFlights.Note(this) : 0;
    }

    /// <summary>
    /// It was forgotten: others need not wait until they have waited too long. They need not rest either, since that would be by the clock of the user: nothing
    /// of the user's runs in the thread of the finalizers.
    /// </summary>
    ~CacheFlight() => Fail(mayRest: false);

    /// <summary>What it wrote to own the work word; the default if it owns none, because it was not to wait.</summary>
    internal WorkWord Word => _look.Word;

    /// <summary>Of what the value may replace.</summary>
    internal ulong Stamp => _look.Stamp;

    /// <summary>Captured after it began.</summary>
    internal CacheTags Tags { get; }

    private bool IsPlaceholder => _look.IsPlaceholder;

    /// <summary>Stores the value, unless the key or a tag was changed since the flight began, and ends the flight.</summary>
    /// <param name="value">The value.</param>
    /// <param name="options">How long it lives, counted from now. Without tags: those were given at the beginning.</param>
    /// <returns>Whether it was stored, or why not.</returns>
    /// <exception cref="ArgumentException">An option is out of its range, or there are tags.</exception>
    /// <exception cref="InvalidOperationException">
    /// The flight has ended before, but not by <see cref="Abandon"/>, nor because the heap was disposed.
    /// </exception>
    public CacheFlightOutcome Complete(ReadOnlySpan<byte> value, in CacheEntryOptions options) => Complete(value, options, marks: false, out _);

    /// <inheritdoc cref="Complete(ReadOnlySpan{byte}, in CacheEntryOptions)"/>
    /// <param name="value">The value.</param>
    /// <param name="options">How long it lives, counted from now. Without tags: those were given at the beginning.</param>
    /// <param name="mark">Of the value, if it was stored and nobody has replaced it already; else none.</param>
    public CacheFlightOutcome Complete(ReadOnlySpan<byte> value, in CacheEntryOptions options, out CacheMark mark) =>
        Complete(value, options, marks: true, out mark);

    private CacheFlightOutcome Complete(ReadOnlySpan<byte> value, in CacheEntryOptions options, bool marks, out CacheMark mark)
    {
        if (options.Tags.Captured != null || options.Tags.Names is { Length: > 0 })
        {
            throw new ArgumentException("The tags of a flight are given when it begins, so that a removal counts that comes in between.", nameof(options));
        }

        _cache.Heap.OwnFlights.BeginEnd();
        try
        {
            return Land(value, options, marks, out mark);
        }
        finally
        {
            _cache.Heap.OwnFlights.IsDone();
        }
    }

    private CacheFlightOutcome Land(ReadOnlySpan<byte> value, in CacheEntryOptions options, bool marks, out CacheMark mark)
    {
        if (!TryEnd(Ended))
        {
            mark = default;
            return Volatile.Read(ref _state) == GivenUp
                ? CacheFlightOutcome.Unavailable
                : throw new InvalidOperationException("The flight has ended: it was completed, or disposed, before.");
        }

        bool isKnown = false;
        CacheFlightOutcome outcome = CacheFlightOutcome.Unavailable;
        try
        {
            outcome = _cache.Land(_key, value, options with { Tags = Tags }, ref _look, marks, out mark);
            isKnown = true;
        }
        finally
        {
            if (outcome != CacheFlightOutcome.Stored)
            {
                bool passes = isKnown && outcome is CacheFlightOutcome.NoRoom or CacheFlightOutcome.TooLarge or CacheFlightOutcome.Expired;
                GiveUp(FlightEnding.RestAfterValue(passes, IsPlaceholder, _pause), hasFailed: !IsPlaceholder);
            }
        }

        return outcome;
    }

    /// <summary>Ends the flight without a value, as after a failure, if it has not ended: another may work.</summary>
    /// <remarks>Where there is a stale value, those who take it do not try again before the pause is over that was given at the beginning.</remarks>
    [SuppressMessage("Usage", "CA1816", Justification = "See TryEnd.")]
    public void Dispose() => Fail(mayRest: true);

    /// <summary>The heap is about to be disposed: others may work, and what comes of this flight is not stored.</summary>
    internal void GiveUpWithHeap()
    {
        if (TryEnd(GivenUp))
        {
            GiveUp(rest: 0, hasFailed: false);
        }
    }

    /// <summary>
    /// Ends the flight without a value although nothing has failed, if it has not ended: nobody wants the value any more, say. Another may work at once.
    /// </summary>
    /// <remarks>
    /// It is not counted as a failure. A value that is given later is not stored, and the answer is <see cref="CacheFlightOutcome.Unavailable"/>.
    /// </remarks>
    public void Abandon()
    {
        _cache.Heap.OwnFlights.BeginEnd();
        try
        {
            GiveUpWithHeap();
        }
        finally
        {
            _cache.Heap.OwnFlights.IsDone();
        }
    }

    /// <summary>Lets others work: at once if there is nothing else, or nothing has failed; else after the pause.</summary>
    /// <returns>Whether it had not ended before.</returns>
    internal bool End(bool hasFailed)
    {
        _cache.Heap.OwnFlights.BeginEnd();
        try
        {
            bool ends = TryEnd(Ended);
            if (ends)
            {
                GiveUp(FlightEnding.RestAfterEnd(hasFailed, IsPlaceholder, _pause), hasFailed: true);
            }

            return ends;
        }
        finally
        {
            _cache.Heap.OwnFlights.IsDone();
        }
    }

    private void Fail(bool mayRest)
    {
        if (End(hasFailed: mayRest))
        {
            _cache.CountFailedFlight();
        }
    }

    [SuppressMessage("Usage", "CA1816", Justification = "This is where it ends, whatever the reason.")]
    private bool TryEnd(int state)
    {
        if (Interlocked.CompareExchange(ref _state, state, 0) != 0)
        {
            return false;
        }

        GC.SuppressFinalize(this);
        _cache.Heap.OwnFlights.Forget(_name);
        return true;
    }

    private void GiveUp(ulong rest, bool hasFailed)
    {
        if (Word.IsOwned)
        {
            _cache.GiveUp(_key, Stamp, Word, rest, hasFailed);
        }
    }
}
