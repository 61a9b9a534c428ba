using System.Diagnostics;
using ShmAlloc.Disposal;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <content>One call of GetOrAdd, from step to step.</content>
public sealed unsafe partial class SharedCache
{
    private const int MostOvertakings = 1000;

    private static InvalidOperationException NoValue() => new("The factory returned null; an empty array is a value.");

    /// <summary>Whether a value that was just read is due, as far as its options say that it can be.</summary>
    private bool IsDue(ReadOnlySpan<byte> key, in CacheEntryOptions options, TimeSpan limit)
    {
        if (options.RefreshAfter == null)
        {
            return false;
        }

        using Visit visit = Enter();
        fixed (byte* bytes = key)
        {
            CacheStatus status = CacheReader<Hardware>.TryReadAnywhere(
                _heap, _table, KeyOf(bytes, key.Length), null, 0, out ItemFacts facts, isUse: false);
            if (status is not (CacheStatus.Ok or CacheStatus.BufferTooSmall) || !facts.Shape.Is(ItemShape.Worked))
            {
                return false;
            }

            WorkWord word = new(facts.Work);
            return Flight<Hardware>.IsVoid(_heap, word)
                ? !word.IsTime || word.Time <= Now
                : Heap.FlightWatch.IsOverdue(Flight<Hardware>.LookOf(_heap, facts), limit);
        }
    }

    private enum FlightStep
    {
        /// <summary>There is a value.</summary>
        Done,

        /// <summary>Somebody else is at it.</summary>
        Wait,

        /// <summary>It is this caller's to work out.</summary>
        Work,
    }

    /// <summary>One who wants a value, and what has happened so far.</summary>
    /// <param name="cache">The cache.</param>
    /// <param name="key">The key.</param>
    /// <param name="options">What the value will be like.</param>
    /// <param name="flight">What the caller does meanwhile.</param>
    /// <param name="due">The value that there is, and that is due; null if there is none.</param>
    private sealed unsafe partial class FlightCall(SharedCache cache, byte[] key, CacheEntryOptions options, CacheFlightOptions flight, byte[]? due)
    {
        private readonly LocalFlight _own = new(key);

        /// <summary>The place of this call among the beginnings of calls and flights of this process.</summary>
        private readonly long _asked = PrivateFlights.Next();
        private byte[]? _value;

        private LocalFlight.Frame? _frame;

        /// <summary>Under which it is registered.</summary>
        private uint? _number;

        private FlightPatience _patience;

        /// <summary>Whether the caller waits as a thread.</summary>
        internal bool Blocks { get; init; }

        internal byte[] Value => _value!;

        internal CancellationToken Abandoned => _own.Abandoned;

        /// <summary>The limit, and what is left of it, in ticks of <see cref="TimeSpan"/>.</summary>
        private ulong Limit => flight.Limit == Timeout.InfiniteTimeSpan ? ulong.MaxValue : (ulong)flight.Limit.Ticks;

        private static ulong AwakeTicks => (ulong)Stopwatch.GetElapsedTime(0).Ticks;

        /// <summary>Finds out what is to be done next.</summary>
        internal FlightStep Next()
        {
            if (_value != null)
            {
                return FlightStep.Done;
            }

            using Visit visit = cache.Enter();
            for (int turn = 0; turn < MostOvertakings && _value == null; turn++)
            {
                cache.ThrowIfClosed();
                FlightLook look = Begin(visit.Heap);
                FlightTurn next = Judge(look, flight.AllowStale);
                byte[]? stale = next is FlightTurn.Stale or FlightTurn.StaleMeanwhile ? ReadStale() : null;
                next = next == FlightTurn.StaleMeanwhile && stale == null ? Judge(look, takesStale: false) : next;
                switch (next)
                {
                    case FlightTurn.Work:
                        return FlightStep.Work;
                    case FlightTurn.Value:
                        if (!TryTake(due ?? cache.GetArray(key, counts: false, out _)))
                        {
                            return FlyPrivately(look);
                        }

                        break;
                    case FlightTurn.ValueMeanwhile:
                        TakeMeanwhile(visit.Heap, due!, look);
                        break;
                    case FlightTurn.Stale:
                        if (!TryTake(stale))
                        {
                            return FlyPrivately(look);
                        }

                        break;
                    case FlightTurn.ValueAtHand:
                        _value = due;
                        break;
                    case FlightTurn.StaleMeanwhile:
                        TakeMeanwhile(visit.Heap, stale!, look);
                        break;
                    case FlightTurn.Wait:
                        if (TryWaitFor(visit.Heap, look))
                        {
                            return FlightStep.Wait;
                        }

                        break;
                    case FlightTurn.TakeOver:
                        WorkBeside(FindOurs(visit.Heap, look));
                        break;
                    case FlightTurn.WorkUnder:
                        WorkBeside(look.State == FlightState.Taken ? FindOurs(visit.Heap, look) : null);
                        return FlyPrivately(look);
                    default:
                        cache.Checked(look.Status);
                        _value = due ?? (flight.AllowStale ? ReadStale() : null);
                        if (_value == null)
                        {
                            return FlyPrivately(look);
                        }

                        break;
                }
            }

            return _value != null ? FlightStep.Done : FlightStep.Work;
        }

        /// <summary>Before the factory: it is this flight's from here on. A caller that blocks waits for it also where it has a value meanwhile.</summary>
        internal void BeginWork() => _frame = _own.Enter(isAwaited: Blocks || due == null);

        internal void EndWork() => LocalFlight.Exit(_frame!);

        /// <summary>Stores what the factory has given, and tells it to all who wait.</summary>
        internal void Land(byte[]? value)
        {
            _value = value ?? throw NoValue();
            _own.Flight?.Complete(value, options with { Tags = default });
            try
            {
                Unregister();
            }
            finally
            {
                _own.Succeed(value);
            }
        }

        /// <summary>Lets others work, and tells all who wait why.</summary>
        /// <param name="exception">What the factory threw.</param>
        /// <param name="isCancelledByCaller">Whether that is the cancellation of the caller that runs it.</param>
        internal void Fail(Exception exception, bool isCancelledByCaller)
        {
            _value = null;
            try
            {
                _own.Flight?.End(hasFailed: !isCancelledByCaller && !_own.Abandoned.IsCancellationRequested);
            }
            finally
            {
                // The callers that wait are told in any case: a lock that others hold may be where an interrupt of this thread strikes.
                try
                {
                    Unregister();
                }
                finally
                {
                    bool hasLanded = _own.Result.IsCompletedSuccessfully;
                    _own.Fail(exception, isCancelledByCaller);
                    cache.NoteFailure(
                        key,
                        exception,
                        isUnwanted: hasLanded || isCancelledByCaller || (exception is OperationCanceledException && _own.Abandoned.IsCancellationRequested));
                }
            }
        }

        /// <summary>What there is instead of what the factory should have given, if the caller allows it.</summary>
        internal bool TryTakeInstead()
        {
            using Visit visit = new(cache.Heap);
            _value = due ?? (flight.AllowStale && visit.Heap == cache._heap ? ReadStale() : null);
            return _value != null;
        }

        private FlightTurn Judge(in FlightLook look, bool takesStale) => _patience.Next(look, due != null, takesStale, AwakeTicks, Limit);

        private FlightLook Begin(Attachment* heap)
        {
            cache.Heap.OwnFlights.Begin();
            try
            {
                return BeginCounted(heap);
            }
            finally
            {
                cache.Heap.OwnFlights.IsDone();
            }
        }

        private FlightLook BeginCounted(Attachment* heap)
        {
            cache.Heap.FlightWatch.EndThoseLeft();
            ulong now = cache.Now;
            ulong hash = Hash();
            CacheTags places = cache.Capture(options.Tags);
            lock (_own.Gate)
            {
                uint number = cache.Heap.OwnFlights.Register(heap, cache.Identity.Number, hash, _own, out bool isRegistered);
                FlightRequest request = new()
                {
                    Mine = Flight<Hardware>.Name(heap, number),
                    TakesOver = _patience.TakesOver,
                    TakesStale = flight.AllowStale,
                    Refreshes = due != null,
                    Flags = cache._clock != null ? ItemShape.OwnClock : 0,
                    TagCount = places.Captured?.Length ?? 0,
                };
                FlightLook look;
                fixed (byte* bytes = key)
                {
                    fixed (ulong* tags = places.Captured)
                    {
                        request.Tags = tags;
                        look = Flight<Hardware>.Begin(heap, cache._table, new CacheKey(bytes, key.Length, hash), request, now);
                    }
                }

                cache.GiveUpIfLeftOwned(look, hash);
                if (look.State == FlightState.Begun)
                {
                    // Only now: what was removed before is not what the factory will see.
                    _own.Begun = PrivateFlights.Next();
                    _own.Flight = new CacheFlight(cache, key, look, cache.CapturedAnew(options.Tags, places), flight.Pause);
                    _number = isRegistered ? number : null;
                    _own.Forget = Unregister;
                }
                else if (isRegistered)
                {
                    cache.Heap.OwnFlights.Registered.TryRemove((cache.Identity.Number, hash, number), out _);
                }

                return look;
            }
        }

        private void Unregister()
        {
            if (_number is { } number)
            {
                // Only itself: the number may be another one's by now.
                cache.Heap.OwnFlights.Registered.TryRemove(KeyValuePair.Create((cache.Identity.Number, Hash(), number), _own));
            }

            if (_own.IsPrivate)
            {
                cache.Heap.PrivateFlights.Remove(cache.Identity.Number, Hash(), _own);
            }
        }

        /// <returns>False: there is something that can neither be read nor removed by this process, which works a value out for itself.</returns>
        private bool TryTake(byte[]? value)
        {
            _value = value;

            // Somebody wrote over it: nobody gets it any more.
            return value != null || cache.ReadAnyway(key, isUse: false, out ItemFacts facts, out bool isDamaged) != null || !isDamaged
                || cache.Remove(key, facts.Stamp) is CacheStatus.Ok or CacheStatus.Missing or CacheStatus.Changed;
        }

        /// <summary>There is a value while somebody works on the next one: unless that takes too long, and is not what the caller is part of.</summary>
        private void TakeMeanwhile(Attachment* heap, byte[] value, in FlightLook look)
        {
            if (_patience.TakesOver == 0 && cache.Heap.FlightWatch.IsOverdue(look, flight.Limit)
                && !(FindOurs(heap, look) is { } ours && LocalFlight.WouldWaitForItself(ours)))
            {
                _patience.GiveUpOwner(look);
            }
            else
            {
                _value = value;
            }
        }

        private byte[]? ReadStale()
        {
            ulong now = cache.Now;
            byte[]? value = cache.ReadAnyway(key, isUse: true, out ItemFacts facts, out _);
            return value != null && facts.IsStaleValue(now) ? value : null;
        }

        private ulong Hash() => cache.HashOf(key);
    }
}
