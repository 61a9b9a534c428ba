using System.Buffers;
using System.Runtime.CompilerServices;
using ShmAlloc.Disposal;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <content>Gets.</content>
public sealed unsafe partial class SharedCache
{
    /// <summary>So many times a value is read again that has become longer than it was a moment ago.</summary>
    private const int MostLooks = 1000;

    private const int ShortValueBytes = 1024;

    /// <summary>Copies the value of a key.</summary>
    /// <param name="key">The key: at most 65,535 bytes.</param>
    /// <param name="destination">Where to: memory of its own. Its bytes may change also if nothing is found.</param>
    /// <param name="lengthBytes">
    /// Bytes of the value: also if the answer is false because <paramref name="destination"/> is too short for it; 0 if there is none.
    /// </param>
    /// <returns>Whether the value was copied.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public bool TryGet(ReadOnlySpan<byte> key, Span<byte> destination, out int lengthBytes) =>
        Get(key, destination, counts: true, out lengthBytes, out _) == CacheStatus.Ok;

    /// <inheritdoc cref="TryGet(ReadOnlySpan{byte}, Span{byte}, out int)"/>
    [SkipLocalsInit]
    public bool TryGet(string key, Span<byte> destination, out int lengthBytes)
    {
        ArgumentNullException.ThrowIfNull(key);
        TextKey.Buffer buffer;
        return TextKey.TryMake(key, &buffer, _seed0, _seed1, out CacheKey made)
            ? Get(made, destination, counts: true, out lengthBytes, out _) == CacheStatus.Ok
            : TryGetAny(key, destination, out lengthBytes);
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TryGetAny(string key, Span<byte> destination, out int lengthBytes)
    {
        Span<byte> buffer = stackalloc byte[TextKey.ShortBytes];
        return TryGet(TextKey.Utf8(key, buffer), destination, out lengthBytes);
    }

    /// <summary>Copies the value of a key.</summary>
    /// <param name="key">The key: at most 65,535 bytes.</param>
    /// <param name="destination">Where to: memory of its own. Its bytes may change also if nothing is found.</param>
    /// <param name="lengthBytes">Bytes of the value, also if it was not copied; 0 if there is none.</param>
    /// <param name="version">Names the value.</param>
    /// <returns>
    /// <see cref="CacheStatus.Ok"/>, <see cref="CacheStatus.Missing"/>, <see cref="CacheStatus.BufferTooSmall"/>, <see cref="CacheStatus.Damaged"/>,
    /// or, hardly ever, <see cref="CacheStatus.Contended"/>.
    /// </returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public CacheStatus Get(ReadOnlySpan<byte> key, Span<byte> destination, out int lengthBytes, out CacheVersion version) =>
        Get(key, destination, counts: true, out lengthBytes, out version);

    // Of several tries that are one get for the user, only the first one counts as a hit or a miss.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private CacheStatus Get(ReadOnlySpan<byte> key, Span<byte> destination, bool counts, out int lengthBytes, out CacheVersion version)
    {
        fixed (byte* bytes = key)
        {
            return Get(KeyOf(bytes, key.Length), destination, counts, out lengthBytes, out version);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private CacheStatus Get(CacheKey key, Span<byte> destination, bool counts, out int lengthBytes, out CacheVersion version)
    {
        fixed (byte* to = destination)
        {
            return Get(key, to, destination.Length, counts, out lengthBytes, out version);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private CacheStatus Get(CacheKey key, byte* to, int capacity, bool counts, out int lengthBytes, out CacheVersion version)
    {
        QuickVisit visit = new(Heap);
        if (visit.Heap != _heap
            || !QuickRead<Hardware>.TryRead(_heap, _table, key, to, (ulong)(uint)capacity, out ulong shape, out ulong stamp, out ulong deadline)
            || (deadline != 0 && MayBePast(deadline)))
        {
            visit.End(Heap);
            return GetSlowly(key, to, capacity, counts, out lengthBytes, out version);
        }

        if (counts)
        {
            CacheCounts<Hardware>.Add(_heap, _table, CacheCounter.Hits, 1);
        }

        visit.End(Heap);
        lengthBytes = (int)new ItemShape(shape).ValueBytes;
        version = new CacheVersion(stamp);
        return CacheStatus.Ok;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private CacheStatus GetSlowly(CacheKey key, byte* to, int capacity, bool counts, out int lengthBytes, out CacheVersion version)
    {
        CacheStatus status = Read(key, to, capacity, counts, out ItemFacts facts);
        lengthBytes = (int)facts.Shape.ValueBytes;
        version = new CacheVersion(facts.Stamp);
        return status;
    }

    /// <summary>By a clock of the caller's it always may: nothing of the caller's is run in a quick visit.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool MayBePast(ulong deadline) => _clock != null || HeapClock.IsPast(_heap, deadline);

    /// <summary>Appends the value of a key to a writer.</summary>
    /// <param name="key">The key: at most 65,535 bytes.</param>
    /// <param name="destination">Where to; nothing is written if there is no value.</param>
    /// <returns>Whether there is a value.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public bool TryGet(ReadOnlySpan<byte> key, IBufferWriter<byte> destination)
    {
        ArgumentNullException.ThrowIfNull(destination);
        int length = 0;
        for (int look = 0; ; look++)
        {
            Span<byte> buffer = length == 0 ? [] : destination.GetSpan(length);
            CacheStatus status = Get(key, buffer, counts: look == 0, out length, out _);
            if (status == CacheStatus.Ok)
            {
                destination.Advance(length);
                return true;
            }

            if (status != CacheStatus.BufferTooSmall || look == MostLooks)
            {
                return false;
            }
        }
    }

    /// <summary>The value of a key, in an array of its own.</summary>
    /// <param name="key">The key: at most 65,535 bytes.</param>
    /// <returns>The value, or <see langword="null"/>.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public byte[]? Get(ReadOnlySpan<byte> key) => Get(key, out _);

    /// <summary>The value of a key, in an array of its own, and its version.</summary>
    /// <param name="key">The key: at most 65,535 bytes.</param>
    /// <param name="version">Names the value.</param>
    /// <returns>The value, or <see langword="null"/>.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public byte[]? Get(ReadOnlySpan<byte> key, out CacheVersion version) => GetArray(key, counts: true, out version);

    /// <inheritdoc cref="Get(ReadOnlySpan{byte})"/>
    public byte[]? Get(string key) => Get(key, out _);

    /// <inheritdoc cref="Get(ReadOnlySpan{byte}, out CacheVersion)"/>
    [SkipLocalsInit]
    public byte[]? Get(string key, out CacheVersion version)
    {
        ArgumentNullException.ThrowIfNull(key);
        TextKey.Buffer buffer;
        return TextKey.TryMake(key, &buffer, _seed0, _seed1, out CacheKey made) ? GetArray(made, counts: true, out version) : GetAny(key, out version);
    }

    /// <inheritdoc cref="Get(ReadOnlySpan{byte}, Span{byte}, out int, out CacheVersion)"/>
    [SkipLocalsInit]
    public CacheStatus Get(string key, Span<byte> destination, out int lengthBytes, out CacheVersion version)
    {
        ArgumentNullException.ThrowIfNull(key);
        TextKey.Buffer buffer;
        return TextKey.TryMake(key, &buffer, _seed0, _seed1, out CacheKey made)
            ? Get(made, destination, counts: true, out lengthBytes, out version)
            : GetAny(key, destination, out lengthBytes, out version);
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.NoInlining)]
    private CacheStatus GetAny(string key, Span<byte> destination, out int lengthBytes, out CacheVersion version) =>
        Get(TextKey.Of(key, out _), destination, counts: true, out lengthBytes, out version);

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.NoInlining)]
    private byte[]? GetAny(string key, out CacheVersion version) => GetArray(TextKey.Of(key, out _), counts: true, out version);

    private byte[]? GetArray(ReadOnlySpan<byte> key, bool counts, out CacheVersion version)
    {
        fixed (byte* bytes = key)
        {
            return GetArray(KeyOf(bytes, key.Length), counts, out version);
        }
    }

    /// <summary>Most values are read once, into the stack, and copied from there.</summary>
    [SkipLocalsInit]
    private byte[]? GetArray(CacheKey key, bool counts, out CacheVersion version)
    {
        byte* buffer = stackalloc byte[ShortValueBytes];
        CacheStatus status = Get(key, buffer, ShortValueBytes, counts, out int length, out version);
        return status == CacheStatus.Ok ? new ReadOnlySpan<byte>(buffer, length).ToArray()
            : status == CacheStatus.BufferTooSmall ? GetLongArray(key, length, out version)
            : null;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private byte[]? GetLongArray(CacheKey key, int length, out CacheVersion version)
    {
        version = default;
        for (int look = 0; look < MostLooks; look++)
        {
            byte[] value = GC.AllocateUninitializedArray<byte>(length);
            fixed (byte* to = value)
            {
                CacheStatus status = Read(key, to, length, counts: false, out ItemFacts facts);
                length = (int)facts.Shape.ValueBytes;
                version = new CacheVersion(facts.Stamp);
                if (status != CacheStatus.BufferTooSmall)
                {
                    return status != CacheStatus.Ok ? null : length == value.Length ? value : value[..length];
                }
            }
        }

        return null;
    }

    /// <summary>Whether a key has a value; counts as a use of it.</summary>
    /// <param name="key">The key: at most 65,535 bytes.</param>
    /// <returns>Whether it has one.</returns>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    public bool Contains(ReadOnlySpan<byte> key) => Get(key, [], out _, out _) is CacheStatus.Ok or CacheStatus.BufferTooSmall;

    private CacheStatus Read(in CacheKey key, byte* to, int capacity, bool counts, out ItemFacts facts)
    {
        using Visit visit = Enter();
        CacheStatus status = CacheCalls<Hardware>.Read(_heap, _table, key, to, (ulong)capacity, new Clock(this), counts, out facts);
        if (status is not (CacheStatus.Ok or CacheStatus.BufferTooSmall))
        {
            ThrowIfClosed();
        }

        return status;
    }

    private readonly struct Clock(SharedCache cache) : IClock
    {
        public ulong Now => cache.Now;

        public bool IsPast(ulong deadline) => cache._clock != null ? deadline <= Now : HeapClock.IsPast(cache._heap, deadline);
    }

    private readonly struct KernelClock(Attachment* heap) : IClock
    {
        public ulong Now => HeapClock.Now(heap);

        public bool IsPast(ulong deadline) => HeapClock.IsPast(heap, deadline);
    }
}
