using System.Runtime.ExceptionServices;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <content>How a caller of GetOrAdd waits: for a flight of this process whose result it may have, or until what it has seen is over.</content>
public sealed unsafe partial class SharedCache
{
    private sealed unsafe partial class FlightCall
    {
        private static readonly TimeSpan LongestWait = TimeSpan.FromDays(1);

        private LocalFlight? _joined;
        private LocalFlight? _inFront;
        private FlightWaiter? _parked;
        private FlightLook? _awaitedAtBell;
        private bool _hasNoSeat;

        // Longer waits are no arguments of the runtime's; who wakes up before the limit looks again. In whole milliseconds, since the runtime leaves out the
        // rest, and who is left a part of one would look all the time.
        private TimeSpan Left
        {
            get
            {
                TimeSpan longest = _parked != null && !cache.Heap.FlightWatch.IsRunning ? FlightWatch.BetweenRecoveries : LongestWait;
                ulong ticks = Math.Min((_isPrivate ? _privatePatience : _patience).Left(AwakeTicks, Limit), (ulong)longest.Ticks);
                return TimeSpan.FromMilliseconds((long)(ticks + TimeSpan.TicksPerMillisecond - 1) / TimeSpan.TicksPerMillisecond);
            }
        }

        private Task Waited => _joined != null ? _joined.Result : _parked != null ? _parked.Done : _inFront != null ? _inFront.Over : _own.Result;

        /// <summary>Waits, as a thread: the runtime lets others go on that wait for one of the pool.</summary>
        internal void Wait()
        {
            if (_awaitedAtBell is { } seen)
            {
                _awaitedAtBell = null;
                WaitAtBell(seen);
                return;
            }

            LocalFlight? waiting = null;
            try
            {
                waiting = BeginWait();
                Task task = Waited;
                try
                {
                    task.Wait(Left);
                }
                catch (AggregateException)
                {
                    // It is the task's, and looked at below.
                }

                EndWait(task.IsCompleted);
            }
            finally
            {
                FinishWait(waiting);
            }
        }

        private void WaitAtBell(in FlightLook seen)
        {
            BellWait wait = cache.Heap.BellSeats.Wait(seen, Left);
            _hasNoSeat = wait == BellWait.NoSeat;
            if (wait == BellWait.OwnerIsDead)
            {
                _patience.GiveUpOwner();
            }
        }

        /// <summary>Finds out for whom it waits.</summary>
        /// <returns>False: for nobody. It takes over from a flight of this process whose result is of no use to it, nor to the cache.</returns>
        private bool TryWaitFor(Attachment* heap, in FlightLook look)
        {
            _isPrivate = false;
            if (Blocks && !IsOurs(heap, look) && !_hasNoSeat && cache.Heap.BellSeats.MayWait)
            {
                _awaitedAtBell = look;
                return true;
            }

            LocalFlight? other = FindOurs(heap, look);
            if (other != null)
            {
                if (TryJoin(other, look, out bool isOfNoUse))
                {
                    _joined = other;
                    return true;
                }

                // A factory that asks for its own key is told so, and does not take over from itself.
                if (isOfNoUse && HasCurrentTags && !LocalFlight.WouldWaitForItself(other))
                {
                    _patience.GiveUpOwner();
                    return false;
                }
            }

            // It waits for that flight also where it may not have its result.
            _inFront = other;
            _parked = cache.Heap.FlightWatch.Park(look, isAwaited: !Blocks);
            if (!cache.Heap.FlightWatch.IsRunning && !FlightWait<Hardware>.TryLookAfter(heap, look.Word))
            {
                _patience.GiveUpOwner();
            }

            return true;
        }

        private static bool IsOurs(Attachment* heap, in FlightLook look) => look.Word.Slot == heap->Slot && look.Word.Epoch == heap->Epoch;

        /// <summary>The flight of this process that somebody has said to work, if it was begun by a call like this one.</summary>
        private LocalFlight? FindOurs(Attachment* heap, in FlightLook look) =>
            IsOurs(heap, look) ? cache.Heap.OwnFlights.Registered.GetValueOrDefault((cache.Identity.Number, Hash(), look.Word.Number)) : null;

        /// <summary>
        /// The caller works, although somebody does: its limit is over, or zero. So a factory that asks for its own key may work within itself, but only once:
        /// not again and again, until there is no stack left.
        /// </summary>
        /// <exception cref="InvalidOperationException">It does so already.</exception>
        private void WorkBeside(LocalFlight? other)
        {
            if (other == null || !LocalFlight.WouldWaitForItself(other))
            {
                return;
            }

            if (LocalFlight.Current is { IsWithinItself: true })
            {
                throw LocalFlight.WaitsForItself();
            }

            _own.IsWithinItself = true;
        }

        /// <summary>Whether a flight of this caller could store its value: the tags that the caller has captured itself are none that were removed.</summary>
        private bool HasCurrentTags => Marks<Hardware>.AreCurrent(cache._table, options.Tags.Captured);

        /// <summary>
        /// Joins a flight, if its result was not worked out from what was removed before this call. Who begins a flight may be making room for it; so the
        /// caller waits for that, but not longer than for the value.
        /// </summary>
        /// <param name="other">The flight.</param>
        /// <param name="look">What the caller has seen.</param>
        /// <param name="isOfNoUse">Whether a tag of it was removed, so that its result will not be stored either.</param>
        private bool TryJoin(LocalFlight other, in FlightLook look, out bool isOfNoUse)
        {
            isOfNoUse = false;
            if (!other.Gate.TryEnter(Left))
            {
                return false;
            }

            try
            {
                if (other.Flight is not { } flying || flying.Word.Bits != look.Word.Bits || !other.Key.AsSpan().SequenceEqual(key))
                {
                    return false;
                }

                isOfNoUse = !Marks<Hardware>.AreCurrent(cache._table, flying.Tags.Captured);
                return (other.Begun > _asked || (flying.Stamp == look.Stamp && !isOfNoUse)) && other.TryJoin();
            }
            finally
            {
                other.Gate.Exit();
            }
        }

        private LocalFlight? BeginWait() => (_joined ?? _inFront) is { } target ? LocalFlight.BeginWait(target) : null;

        private void EndWait(bool isOver)
        {
            if (!isOver || _parked != null || _inFront != null)
            {
                if (_parked is { IsOwnerDead: true })
                {
                    _patience.GiveUpOwner();
                }

                return;
            }

            Task<byte[]> result = _joined?.Result ?? _own.Result;
            if (result.IsCompletedSuccessfully)
            {
                // Each has an array of its own; the first caller, the one that the factory made.
                _value = _joined == null ? _value ?? result.Result : result.Result.AsSpan().ToArray();
            }
            else if (_joined is not { IsCancelledByCaller: true } && !TryTakeInstead())
            {
                ExceptionDispatchInfo.Throw(result.Exception!.InnerException!);
            }
        }

        private void FinishWait(LocalFlight? waiting)
        {
            if (_parked != null)
            {
                cache.Heap.FlightWatch.Unpark(_parked);
                _parked = null;
            }

            if (_inFront is { } inFront)
            {
                _inFront = null;
                LocalFlight.EndWait(waiting, inFront);
            }

            if (_joined is { } joined)
            {
                _joined = null;
                LocalFlight.EndWait(waiting, joined);
                joined.Leave();
            }
        }
    }
}
