using System.Buffers.Binary;
using ShmAlloc.Caching;

namespace ShmAlloc.FusionCache;

/// <summary>
/// The messages of one channel: a ring of slots, and the number of the last message. A publisher counts the number up, which claims it, and then fills its
/// slot. A reader that looks at the number first, and then does not find a message up to it, knows that it has missed one.
/// </summary>
/// <remarks>
/// The ring is pinned, and so dropped only with everything. Numbers begin with the time: a ring that was removed and began anew goes on further ahead than any
/// reader of the old one can be.
/// </remarks>
internal sealed class MessageLog
{
    /// <summary>A reader that is further behind has missed something.</summary>
    internal const int Slots = 1024;

    /// <summary>Readers for which a publisher waits.</summary>
    private const int Readers = 64;

    private static readonly CacheEntryOptions Pinned = new() { Pinned = true };

    /// <summary>Of what a reader says of itself: if it dies, nobody waits for it longer than this.</summary>
    private static readonly CacheEntryOptions Fleeting = new() { Lifetime = TimeSpan.FromSeconds(2) };

    private readonly long _reader = Random.Shared.NextInt64();
    private readonly string _first;
    private readonly string _last;
    private readonly string[] _slots;
    private readonly string[] _readers;

    internal MessageLog(FusionSpace space, string channel)
    {
        _first = space.KeyOf('n', channel, "first");
        _last = space.KeyOf('n', channel, "last");
        _slots = [.. Enumerable.Range(0, Slots).Select(slot => space.KeyOf('m', channel, $"{slot}"))];
        _readers = [.. Enumerable.Range(0, Readers).Select(reader => space.KeyOf('r', channel, $"{reader}"))];
    }

    /// <summary>The number of the last message that was claimed. A log that is not there is begun.</summary>
    /// <returns>Whether it is known.</returns>
    internal bool TryReadLast(SharedCache cache, out long last)
    {
        if (TryReadNumber(cache, _last, out last))
        {
            return true;
        }

        // Several may begin it: the first number of one of them counts for all.
        TryAddNumber(cache, _first, DateTime.UtcNow.Ticks);
        if (TryReadNumber(cache, _first, out long first))
        {
            TryAddNumber(cache, _last, first);
        }

        return TryReadNumber(cache, _last, out last);
    }

    /// <summary>
    /// Where a reader begins: a little before the last message, because its cache may have read something already that was changed since. Messages that it need
    /// not have do no harm.
    /// </summary>
    /// <param name="cache">The cache.</param>
    /// <param name="last">The last message.</param>
    /// <param name="isCutOff">Whether there were messages before.</param>
    internal long BeginBefore(SharedCache cache, long last, out bool isCutOff)
    {
        isCutOff = TryReadNumber(cache, _first, out long first) && last - first > Slots / 2;
        return first == 0 ? last : Math.Max(first, last - (Slots / 2));
    }

    /// <summary>Adds a message. One that has a number and no slot is missed by all readers, which they notice.</summary>
    /// <returns>Whether it has a number.</returns>
    internal bool TryPublish(SharedCache cache, ReadOnlySpan<byte> message, out long number)
    {
        number = 0;
        if (!TryReadLast(cache, out _) || cache.Increment(_last, 1, out number, Pinned) != CacheStatus.Ok)
        {
            return false;
        }

        byte[] numbered = new byte[sizeof(long) + message.Length];
        BinaryPrimitives.WriteInt64LittleEndian(numbered, number);
        message.CopyTo(numbered.AsSpan(sizeof(long)));
        cache.Set(SlotOf(number), numbered, Pinned);
        return true;
    }

    /// <summary>Reads a message; null if it is not in its slot: not yet, or no more.</summary>
    internal byte[]? TryRead(SharedCache cache, long number)
    {
        byte[]? numbered = cache.Get(SlotOf(number));
        return numbered?.Length >= sizeof(long) && BinaryPrimitives.ReadInt64LittleEndian(numbered) == number ? numbered[sizeof(long)..] : null;
    }

    /// <summary>Says how far this reader is: publishers wait for it a little.</summary>
    /// <param name="cache">The cache.</param>
    /// <param name="place">Its place; -1 if it has none yet. If there is none, nobody waits for it.</param>
    /// <param name="number">The last message that it has handled.</param>
    internal void Tell(SharedCache cache, ref int place, long number)
    {
        Span<byte> value = stackalloc byte[2 * sizeof(long)];
        Span<byte> there = stackalloc byte[2 * sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(value, number);
        BinaryPrimitives.WriteInt64LittleEndian(value[sizeof(long)..], _reader);

        // Another one may have taken it, if nothing was heard of this one for a while.
        if (place >= 0 && (!cache.TryGet(_readers[place], there, out _) || there[sizeof(long)..].SequenceEqual(value[sizeof(long)..])))
        {
            cache.Set(_readers[place], value, Fleeting);
            return;
        }

        place = -1;
        for (int free = 0; free < Readers && place < 0; free++)
        {
            place = cache.Add(_readers[free], value, Fleeting) == CacheStatus.Ok ? free : -1;
        }
    }

    /// <summary>A reader ends, or others need not wait for it.</summary>
    internal void Forget(SharedCache cache, int reader)
    {
        if (reader >= 0)
        {
            cache.Remove(_readers[reader]);
        }
    }

    /// <summary>The place of another reader that has not handled a message yet; -1 if there is none.</summary>
    internal int FindBehind(SharedCache cache, long number) => Array.FindIndex(cache.GetMany(_readers), value =>
        value?.Length == 2 * sizeof(long)
        && BinaryPrimitives.ReadInt64LittleEndian(value) < number
        && BinaryPrimitives.ReadInt64LittleEndian(value.AsSpan(sizeof(long))) != _reader);

    private static bool TryReadNumber(SharedCache cache, string key, out long number)
    {
        Span<byte> value = stackalloc byte[sizeof(long)];
        bool isThere = cache.TryGet(key, value, out _);
        number = isThere ? BinaryPrimitives.ReadInt64LittleEndian(value) : 0;
        return isThere;
    }

    private static void TryAddNumber(SharedCache cache, string key, long number)
    {
        Span<byte> value = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(value, number);
        cache.Add(key, value, Pinned);
    }

    private string SlotOf(long number) => _slots[(int)((ulong)number % Slots)];
}
