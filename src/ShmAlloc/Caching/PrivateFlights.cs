namespace ShmAlloc.Caching;

/// <summary>
/// Flights that cannot be told to other processes: there is no room for a placeholder, no participant slot, the heap may only be read, or each process is to
/// work for itself after a value that could not be stored. Callers in this process find each other here, the last flight of each key.
/// </summary>
/// <remarks>
/// Nothing in the heap names such a flight, and where the key has nothing, the removal of it leaves no trace. So a caller cannot find out whether the key was
/// removed since a flight began, and joins only one that began after its own call: it waits for the one that runs, and then one of all who have waited begins
/// the next one, which the others join. So two flights serve all callers that come at once; a caller that wakes up when the second has ended already begins
/// one more. Where the key has something, for instance what has expired, its stamp tells (see <see cref="LocalFlight"/>).
/// </remarks>
internal sealed class PrivateFlights
{
    private static long _last;

    private readonly Dictionary<(uint Cache, ulong Hash), LocalFlight> _flights = [];

    /// <summary>Held while a caller looks for a flight, and begins one if there is none.</summary>
    internal Lock Gate { get; } = new();

    /// <summary>
    /// The next place among the beginnings of calls and flights of this process. A call takes one when it begins, a flight before its factory begins: so what
    /// was removed before a call with a smaller place, was removed before the factory began.
    /// </summary>
    internal static long Next() => Interlocked.Increment(ref _last);

    /// <summary>The flight of a key that began last, if a caller waits for it still. With the gate held.</summary>
    internal LocalFlight? Find(uint cache, ulong hash, ReadOnlySpan<byte> key) =>
        _flights.TryGetValue((cache, hash), out LocalFlight? found) && !found.IsOver && found.Key.AsSpan().SequenceEqual(key) ? found : null;

    /// <summary>For tests: the one flight that there is. With the gate held.</summary>
    internal LocalFlight? FindOnly() => _flights.Values.SingleOrDefault();

    /// <summary>With the gate held. The one before goes on, and is joined no more.</summary>
    internal void Add(uint cache, ulong hash, LocalFlight flight) => _flights[(cache, hash)] = flight;

    internal void Remove(uint cache, ulong hash, LocalFlight flight)
    {
        lock (Gate)
        {
            if (_flights.TryGetValue((cache, hash), out LocalFlight? found) && found == flight)
            {
                _flights.Remove((cache, hash));
            }
        }
    }
}
