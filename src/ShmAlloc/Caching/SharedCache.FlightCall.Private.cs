using ShmAlloc.Layout;
using ShmAlloc.Memory;

namespace ShmAlloc.Caching;

/// <content>A caller of GetOrAdd that can tell other processes nothing.</content>
public sealed unsafe partial class SharedCache
{
    private sealed unsafe partial class FlightCall
    {
        /// <summary>How long it waits for flights of <see cref="PrivateFlights"/>, and whether it waits for one now.</summary>
        private FlightPatience _privatePatience;

        private bool _isPrivate;

        /// <summary>
        /// Works the value out, or shares that with other callers in this process. It is stored if what was seen may be replaced, and is still there then.
        /// </summary>
        private FlightStep FlyPrivately(FlightLook look)
        {
            look.Word = default;
            ulong hash = Hash();
            PrivateFlights flights = cache.Heap.PrivateFlights;
            lock (flights.Gate)
            {
                if (flights.Find(cache.Identity.Number, hash, key) is { } other && TryShare(other, look))
                {
                    _isPrivate = true;
                    return FlightStep.Wait;
                }

                _own.IsPrivate = true;
                _own.Begun = PrivateFlights.Next();
                _own.Stamp = look.Stamp;
                _own.Tags = cache.Capture(options.Tags);
                _own.Flight = look.IsCovered ? new CacheFlight(cache, key, look, _own.Tags, flight.Pause) : null;
                _own.Forget = Unregister;
                flights.Add(cache.Identity.Number, hash, _own);
                return FlightStep.Work;
            }
        }

        /// <summary>Joins a flight, or waits for its end if it cannot be said whether the key was removed since it began.</summary>
        private bool TryShare(LocalFlight other, in FlightLook look)
        {
            FlightLook ahead = default;
            ahead.State = FlightState.Taken;
            ahead.Word = new WorkWord((ulong)other.Begun);
            ahead.IsPlaceholder = true;
            if (_privatePatience.Next(ahead, hasValue: false, takesStale: false, AwakeTicks, Limit) != FlightTurn.Wait)
            {
                WorkBeside(other);
                return false;
            }

            bool isSame = other.Stamp == look.Stamp;
            bool isCurrent = Marks<Hardware>.AreCurrent(cache._table, other.Tags.Captured);
            if ((other.Begun > _asked || (isSame && isCurrent && look.Stamp != 0 && !look.IsTagRemoved)) && other.TryJoin())
            {
                _joined = other;
                return true;
            }

            // Where the key has changed, or lost a tag, there is nothing to wait for.
            _inFront = isSame && (isCurrent || !HasCurrentTags) ? other : null;
            return _inFront != null;
        }
    }
}
