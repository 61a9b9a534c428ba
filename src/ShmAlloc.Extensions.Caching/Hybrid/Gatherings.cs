using Microsoft.Extensions.Caching.Hybrid;

namespace ShmAlloc.Extensions.Caching.Hybrid;

/// <summary>
/// The callers of this process that want a value which is not there, by its key and by what they would do with it. All of one gathering want the same type, and
/// share what can be shared. Safe for all threads.
/// </summary>
internal sealed class Gatherings
{
    private readonly Dictionary<(string Key, HybridCacheEntryFlags Flags), Gathering> _all = [];

    /// <summary>One more caller; to be left.</summary>
    /// <exception cref="InvalidOperationException">The others want another type.</exception>
    internal Gathering<T> Enter<T>(string key, HybridCacheEntryFlags flags)
    {
        lock (_all)
        {
            if (!_all.TryGetValue((key, flags), out Gathering? found))
            {
                found = new Gathering<T>();
                _all.Add((key, flags), found);
            }

            Gathering<T> ours = found as Gathering<T> ?? throw new InvalidOperationException(
                $"The value of key \"{key}\" is being worked out as {found.Type}, and was asked for as {typeof(T)}: a key has values of one type.");
            ours.Callers++;
            return ours;
        }
    }

    internal void Leave(string key, HybridCacheEntryFlags flags, Gathering gathering)
    {
        lock (_all)
        {
            if (--gathering.Callers == 0)
            {
                _all.Remove((key, flags));
            }
        }
    }
}

/// <summary>Callers that want the same value, as one type.</summary>
internal abstract class Gathering(Type type)
{
    internal Type Type => type;

    /// <summary>How many there are. Changed by <see cref="Gatherings"/> only, under its lock.</summary>
    internal int Callers { get; set; }
}

/// <inheritdoc/>
internal sealed class Gathering<T>() : Gathering(typeof(T))
{
    private readonly Lock _gate = new();
    private OwnFlight<T>? _flight;
    private byte[]? _bytes;
    private T? _object;

    /// <summary>
    /// Makes an object of bytes that the caller was given. Of a type that nobody can change all callers with the same bytes get the same object.
    /// </summary>
    internal bool TryRead(TypeSerializer<T> serializer, byte[] bytes, out T value)
    {
        if (!serializer.IsReusable)
        {
            return serializer.TryRead(bytes, out value);
        }

        // The serializer is the application's, and runs outside the lock: two callers may both have made one, and agree afterwards.
        return TryShare(bytes, out value) || (serializer.TryRead(bytes, out value) && Share(bytes, ref value));
    }

    /// <summary>Joins the factory that runs in this process, if what it began with still counts; else the caller is to run its own.</summary>
    /// <param name="seen">What the caller has seen of the key.</param>
    /// <param name="leads">Whether the caller is to run the factory.</param>
    /// <returns>The flight; null if what the caller has seen is not there any more, so that it has to look again.</returns>
    internal OwnFlight<T>? JoinOrBegin(in FlightBasis seen, out bool leads)
    {
        lock (_gate)
        {
            leads = false;
            if (_flight != null && _flight.TryJoin(seen))
            {
                return _flight;
            }

            // Under the lock: a factory whose value has taken the place of what the caller saw has ended, and the caller is not to run another one.
            leads = !seen.IsOvertaken;
            return leads ? _flight = new OwnFlight<T>(seen) : null;
        }
    }

    private bool TryShare(ReadOnlySpan<byte> bytes, out T value)
    {
        lock (_gate)
        {
            bool isSame = _bytes != null && bytes.SequenceEqual(_bytes);
            value = isSame ? _object! : default!;
            return isSame;
        }
    }

    private bool Share(byte[] bytes, ref T value)
    {
        lock (_gate)
        {
            if (_bytes != null && bytes.AsSpan().SequenceEqual(_bytes))
            {
                value = _object!;
            }

            (_bytes, _object) = (bytes, value);
            return true;
        }
    }
}
