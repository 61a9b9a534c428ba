using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
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
    /// <example>
    /// <code>
    /// CacheRead[] results = new CacheRead[keys.Length];
    /// cache.GetMany(keys, buffer, results);
    /// int from = 0;
    /// foreach (CacheRead result in results)
    /// {
    ///     if (result.Status == CacheStatus.Ok)
    ///     {
    ///         Use(buffer.AsSpan(from, result.LengthBytes));
    ///         from += result.LengthBytes;
    ///     }
    /// }
    /// </code>
    /// </example>
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
                int count = Hash(keys[begin..], hashes);
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
        ulong* hashes = stackalloc ulong[BatchPrefetch<Hardware>.Keys];
        using Visit visit = Enter();
        for (int begin = 0; begin < keys.Length;)
        {
            int count = Encode(keys[begin..], begin, buffer, ends, hashes);
            BatchPrefetch<Hardware>.ForReading(_heap, _table, hashes, count);
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

    /// <inheritdoc cref="GetMany(ReadOnlySpan{string})"/>
    /// <param name="keys">The keys: at most 65,535 bytes each. A key may stand more than once.</param>
    public byte[]?[] GetMany(ReadOnlySpan<ReadOnlyMemory<byte>> keys)
    {
        byte[]?[] values = new byte[]?[keys.Length];
        ulong* hashes = stackalloc ulong[BatchPrefetch<Hardware>.Keys];
        using Visit visit = Enter();
        for (int begin = 0; begin < keys.Length; begin += BatchPrefetch<Hardware>.Keys)
        {
            int count = Hash(keys[begin..], hashes);
            BatchPrefetch<Hardware>.ForReading(_heap, _table, hashes, count);
            for (int number = 0; number < count; number++)
            {
                values[begin + number] = Get(keys[begin + number].Span);
            }
        }

        return values;
    }

    /// <summary>
    /// Makes values the values of keys: one set for each, in this order, as if each were a call of its own; faster, because the waits for memory overlap. One
    /// that fails keeps none of the others from being stored.
    /// </summary>
    /// <param name="entries">Keys and their values, a dictionary for instance; none is null. Of a key that stands more than once, the last value stays.</param>
    /// <param name="options">How long they live, counted from the beginning of the call.</param>
    /// <param name="statuses">If it is given: gets what became of each, in the same order. At least as many as there are entries.</param>
    /// <returns>How many were stored: if it is less than there are entries, the others have what they had.</returns>
    /// <exception cref="ArgumentException">A key or a value is null, or statuses are given, and fewer than entries; then nothing is stored.</exception>
    /// <exception cref="ArgumentOutOfRangeException">An expiry is not in the future.</exception>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    /// <example><code>cache.SetMany(new Dictionary&lt;string, byte[]&gt; { ["one"] = first, ["two"] = second });</code></example>
    [OverloadResolutionPriority(1)]
    public int SetMany(
        IEnumerable<KeyValuePair<string, byte[]>> entries, in CacheEntryOptions options = default, Span<CacheStatus> statuses = default)
    {
        ArgumentNullException.ThrowIfNull(entries);
        List<KeyValuePair<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>> encoded = [];
        foreach ((string key, byte[] value) in entries)
        {
            if (key == null || value == null)
            {
                throw new ArgumentException($"The {(key == null ? "key" : "value")} of entry {encoded.Count} is null.", nameof(entries));
            }

            encoded.Add(new(TextKey.Utf8(key, []).ToArray(), value));
        }

        return SetMany(CollectionsMarshal.AsSpan(encoded), options, statuses);
    }

    /// <inheritdoc cref="SetMany(IEnumerable{KeyValuePair{string, byte[]}}, in CacheEntryOptions, Span{CacheStatus})"/>
    /// <param name="entries">Keys, of at most 65,535 bytes, and their values. Of a key that stands more than once, the last value stays.</param>
    /// <param name="options">How long they live, counted from the beginning of the call.</param>
    /// <param name="statuses">If it is given: gets what became of each, in the same order. At least as many as there are entries.</param>
    public int SetMany(
        ReadOnlySpan<KeyValuePair<ReadOnlyMemory<byte>, ReadOnlyMemory<byte>>> entries,
        in CacheEntryOptions options = default,
        Span<CacheStatus> statuses = default)
    {
        if (!statuses.IsEmpty)
        {
            ThrowIfShorter(statuses.Length, entries.Length, nameof(statuses));
        }

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
                stored += status == CacheStatus.Ok ? 1 : 0;
                if (!statuses.IsEmpty)
                {
                    statuses[begin + number] = status;
                }
            }

            now = Now;
        }

        return stored;
    }

    /// <summary>Hashes keys, as many as a batch takes.</summary>
    /// <returns>How many.</returns>
    private int Hash(ReadOnlySpan<ReadOnlyMemory<byte>> keys, ulong* hashes)
    {
        int count = Math.Min(BatchPrefetch<Hardware>.Keys, keys.Length);
        for (int number = 0; number < count; number++)
        {
            hashes[number] = HashOf(keys[number].Span);
        }

        return count;
    }

    /// <summary>Encodes and hashes keys, as many as a batch and the buffer take.</summary>
    /// <returns>How many.</returns>
    private int Encode(ReadOnlySpan<string> keys, int begin, Span<byte> buffer, Span<int> ends, ulong* hashes)
    {
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
