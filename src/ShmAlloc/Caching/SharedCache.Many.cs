using System.Runtime.CompilerServices;
using ShmAlloc.Disposal;
using ShmAlloc.Layout;
using ShmAlloc.Memory;

namespace ShmAlloc.Caching;

/// <content>Many keys in one call.</content>
public sealed unsafe partial class SharedCache
{
    /// <summary>Bytes for the keys of one batch that are given as text.</summary>
    private const int TextBatchBytes = 2048;

    /// <summary>
    /// Copies the values of many keys: faster than one after the other, because the waits for memory overlap. Each key's get is one of its own: there is no
    /// moment at which all of the values were there together. Allocates nothing.
    /// </summary>
    /// <param name="keys">The keys: at most 65,535 bytes each. A key may stand more than once.</param>
    /// <param name="destination">
    /// Where to: memory of its own. The values follow one another, in the order of their keys. A value for which there is no room left is passed over, and what
    /// fits after it is copied; get it again with more room. Its bytes may change also behind the last value.
    /// </param>
    /// <param name="results">Gets what was found of each key, in the same order; at least as many as there are keys.</param>
    /// <returns>How many values were copied.</returns>
    /// <exception cref="ArgumentException">There are fewer results than keys.</exception>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public int GetMany(ReadOnlySpan<ReadOnlyMemory<byte>> keys, Span<byte> destination, Span<CacheRead> results)
    {
        ThrowIfShorter(results.Length, keys.Length, nameof(results));
        using Visit visit = Enter();
        ulong* hashes = stackalloc ulong[BatchPrefetch<Hardware>.Keys];
        fixed (byte* to = destination)
        {
            BatchRead<Hardware> reads = new(_heap, _table, to, (ulong)destination.Length);
            for (int begin = 0; begin < keys.Length; begin += BatchPrefetch<Hardware>.Keys)
            {
                int count = Math.Min(BatchPrefetch<Hardware>.Keys, keys.Length - begin);
                for (int number = 0; number < count; number++)
                {
                    hashes[number] = HashOf(keys[begin + number].Span);
                }

                BatchPrefetch<Hardware>.ForReading(_heap, _table, hashes, count);
                for (int number = 0; number < count; number++)
                {
                    results[begin + number] = Next(ref reads, keys[begin + number].Span, hashes[number]);
                }
            }

            if (!reads.IsAllFound)
            {
                ThrowIfClosed();
            }

            reads.Count();
            return reads.Copied;
        }
    }

    /// <summary>
    /// The values of many keys, each in an array of its own: faster than one after the other, because the waits for memory overlap. Each key's get is one of
    /// its own: there is no moment at which all of the values were there together.
    /// </summary>
    /// <param name="keys">The keys; none is null. A key may stand more than once.</param>
    /// <returns>The value of each key, in the same order; <see langword="null"/> where there is none.</returns>
    /// <exception cref="ArgumentException">A key is null.</exception>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public byte[]?[] GetMany(params ReadOnlySpan<string> keys)
    {
        byte[]?[] values = new byte[]?[keys.Length];
        Span<byte> buffer = stackalloc byte[TextBatchBytes];
        Span<int> ends = stackalloc int[BatchPrefetch<Hardware>.Keys];
        using Visit visit = Enter();
        for (int begin = 0; begin < keys.Length;)
        {
            int count = Encode(keys[begin..], begin, buffer, ends);
            for (int number = 0; number < count; number++)
            {
                values[begin + number] = Get(buffer[(number == 0 ? 0 : ends[number - 1])..ends[number]]);
            }

            if (count == 0)
            {
                // Longer than the buffer.
                values[begin] = Get(keys[begin]);
                count = 1;
            }

            begin += count;
        }

        return values;
    }

    /// <summary>
    /// Makes values the values of keys: one set for each, in this order, as if each were a call of its own; faster, because the waits for memory overlap. One
    /// that fails keeps none of the others from being stored.
    /// </summary>
    /// <param name="entries">Keys, of at most 65,535 bytes, and their values. Of a key that stands more than once, the last value stays.</param>
    /// <param name="statuses">Gets what became of each, in the same order; at least as many as there are entries.</param>
    /// <param name="options">How long they live, counted from the beginning of the call.</param>
    /// <returns>How many were stored.</returns>
    /// <exception cref="ArgumentException">There are fewer statuses than entries.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An expiry is not in the future.</exception>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public int SetMany(
        ReadOnlySpan<KeyValuePair<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>> entries, Span<CacheStatus> statuses, in CacheEntryOptions options = default)
    {
        ThrowIfShorter(statuses.Length, entries.Length, nameof(statuses));
        using Visit visit = Enter();
        ulong now = Now;
        ulong* tags = stackalloc ulong[ItemShape.MaxTags];
        ItemOptions item = Translate(options, now, tags);
        ulong* hashes = stackalloc ulong[BatchPrefetch<Hardware>.Keys];
        int stored = 0;
        for (int begin = 0; begin < entries.Length; begin += BatchPrefetch<Hardware>.Keys)
        {
            int count = Math.Min(BatchPrefetch<Hardware>.Keys, entries.Length - begin);
            for (int number = 0; number < count; number++)
            {
                hashes[number] = HashOf(entries[begin + number].Key.Span);
            }

            BatchPrefetch<Hardware>.ForWriting(_heap, _table, hashes, count);
            for (int number = 0; number < count; number++)
            {
                (ReadOnlyMemory<byte> key, ReadOnlyMemory<byte> value) = entries[begin + number];
                CacheStatus status = key.Length > ItemShape.MaxKeyBytes ? CacheStatus.TooLarge : PutOne(key.Span, hashes[number], value.Span, item, now);
                statuses[begin + number] = status;
                stored += status == CacheStatus.Ok ? 1 : 0;
            }

            now = Now;
        }

        return stored;
    }

    /// <summary>Encodes keys, as many as a batch and the buffer take, and fetches what their gets will look at.</summary>
    /// <returns>How many.</returns>
    private int Encode(ReadOnlySpan<string> keys, int begin, Span<byte> buffer, Span<int> ends)
    {
        ulong* hashes = stackalloc ulong[BatchPrefetch<Hardware>.Keys];
        int count = 0;
        int used = 0;
        for (; count < Math.Min(BatchPrefetch<Hardware>.Keys, keys.Length); count++)
        {
            string text = keys[count] ?? throw new ArgumentException($"Key {begin + count} is null.", nameof(keys));
            if (!TextKey.TryUtf8(text, buffer[used..], out int length))
            {
                break;
            }

            hashes[count] = HashOf(buffer.Slice(used, length));
            used += length;
            ends[count] = used;
        }

        BatchPrefetch<Hardware>.ForReading(_heap, _table, hashes, count);
        return count;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private CacheRead Next(ref BatchRead<Hardware> reads, ReadOnlySpan<byte> key, ulong hash)
    {
        fixed (byte* bytes = key)
        {
            CacheStatus status = reads.Next(new CacheKey(bytes, key.Length, hash), new Clock(this), out ulong offset, out ItemShape shape, out ulong stamp);
            return new CacheRead(status, (int)offset, (int)shape.ValueBytes, new CacheVersion(stamp));
        }
    }

    private CacheStatus PutOne(ReadOnlySpan<byte> key, ulong hash, ReadOnlySpan<byte> value, in ItemOptions item, ulong now)
    {
        fixed (byte* bytes = key, from = value)
        {
            return Checked(CacheCalls<Hardware>.Put(
                _heap, _table, new CacheKey(bytes, key.Length, hash), from, (uint)value.Length, item, PutMode.Set, expected: 0, now, new Clock(this)));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong HashOf(ReadOnlySpan<byte> key)
    {
        fixed (byte* bytes = key)
        {
            return KeyHash.Of(bytes, key.Length, _seed0, _seed1);
        }
    }

    private static void ThrowIfShorter(int length, int needed, string name)
    {
        if (length < needed)
        {
            throw new ArgumentException($"There are {needed} keys, and room for {length} answers.", name);
        }
    }
}
