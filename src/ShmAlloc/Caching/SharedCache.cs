using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.CompilerServices;
using ShmAlloc.Allocation;
using ShmAlloc.Disposal;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>
/// A cache that several processes share: bytes by keys, in a heap. Every process may read and change it at any time, and may be killed at any time;
/// what the others see is always a value that somebody set, whole, or none.
/// </summary>
/// <remarks>
/// All members may be called by any thread of any process; none waits for another, but <c>GetOrAdd</c>, which waits for who works the value out.
/// When there is no room, what was not used lately is dropped. Failures are a <see cref="CacheStatus"/>; misuse throws, and so does every member after the heap
/// was disposed (<see cref="ObjectDisposedException"/>).
/// <para>
/// A method that returns a <see cref="CacheStatus"/> says why not. A method whose name begins with Try, or that asks a question (<c>Contains</c>,
/// <c>IsCurrent</c>, <c>AreCurrent</c>), returns true or false; one that returns an array gives null if there is no value.
/// </para>
/// </remarks>
[SuppressMessage("ApiDesign", "RS0026", Justification = "Overloads for the types of keys and values that callers have, with the same optional parameters.")]
public sealed unsafe partial class SharedCache
{
    private const int MostAttempts = 1000;

    // To be used in a visit only: see Enter.
    private readonly Attachment* _heap;
    private readonly CacheTable* _table;
    private readonly ulong _seed0;
    private readonly ulong _seed1;
    private readonly TimeProvider? _clock;
    private readonly Action<CacheFactoryFailure>? _onFactoryFailed;

    private SharedCache(ShmHeap owner, Attachment* heap, string name, CacheTable* table, SharedCacheOptions options)
    {
        Heap = owner;
        Name = name;
        _heap = heap;
        _table = table;
        _clock = options.Clock;
        _onFactoryFailed = options.OnFactoryFailed;
        ReadSeed(_heap, out _seed0, out _seed1);
        Identity = new CacheIdentity(_seed0 ^ heap->FileNumber, _seed1, table->Number);
    }

    /// <summary>The heap in which it lies.</summary>
    public ShmHeap Heap { get; }

    /// <summary>Its name within the heap.</summary>
    public string Name { get; }

    private CacheIdentity Identity { get; }

    /// <summary>Opens a cache of a heap, and makes it if there is none of that name.</summary>
    /// <param name="heap">The heap. It must stay undisposed as long as the cache is used.</param>
    /// <param name="name">
    /// 1 to 64 bytes of UTF-8; "default" if none is given. A heap has up to 16 caches; none of them can be removed but with the heap.
    /// </param>
    /// <param name="options">How to make it.</param>
    /// <returns>The cache.</returns>
    /// <exception cref="ArgumentException">The name is empty or too long, or an option is out of its range.</exception>
    /// <exception cref="InvalidOperationException">
    /// It was made with other options than are given; there is none and the heap is attached read-only; there are 16 others; there is no room for its index;
    /// or the machine was started since the heap was used last, and its caches could not be emptied, for instance because all participant slots are taken.
    /// </exception>
    public static SharedCache Open(ShmHeap heap, string name = "default", SharedCacheOptions? options = null)
    {
        ArgumentNullException.ThrowIfNull(heap);
        ArgumentException.ThrowIfNullOrEmpty(name);
        byte[] bytes = [.. TextKey.Utf8(name, [])];
        if (bytes.Length > TableLayout.MaxNameBytes)
        {
            throw new ArgumentException($"The name has {bytes.Length} bytes of UTF-8; at most {TableLayout.MaxNameBytes} are possible.", nameof(name));
        }

        options ??= new SharedCacheOptions();
        using Visit visit = new(heap);
        CacheTable* table = FindOrMake(heap, visit.Heap, bytes, name, options);
        return new SharedCache(heap, visit.Heap, name, table, options);
    }

    /// <summary>Never one of the deadlines that mean something else.</summary>
    internal ulong Now => _clock != null ? (ulong)Math.Max((long)ItemHeader.Revoked + 1, _clock.GetUtcNow().ToUnixTimeMilliseconds()) : HeapClock.Now(_heap);

    private static CacheTable* FindOrMake(ShmHeap owner, Attachment* heap, byte[] name, string text, SharedCacheOptions options)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref heap->Closing) != 0, owner);
        CacheSpecification specification = Specify(options);
        CacheStatus begun = HeapClock.TryBegin(heap);
        if (begun != CacheStatus.Ok)
        {
            ObjectDisposedException.ThrowIf(begun == CacheStatus.Closed, owner);
            throw new InvalidOperationException(
                $"Cache '{text}' of heap '{owner.Path}' cannot be opened now: the machine was started since the heap was used last, so its caches have to be "
                + $"emptied first, and that failed: {begun.Describe()}");
        }

        fixed (byte* bytes = name)
        {
            for (int attempt = 0; attempt < MostAttempts; attempt++)
            {
                int number = Directory<Hardware>.Find(heap, bytes, name.Length, out int free);
                if (number >= 0)
                {
                    CacheTable* table = Directory<Hardware>.Find(heap, (uint)number);
                    CacheOption option = specification.Contradiction(heap, table, out ulong found);
                    return option == CacheOption.None ? table : throw new InvalidOperationException(
                        $"Cache '{text}' of heap '{owner.Path}' was made with {option} = {Describe(option, found)}, and not as it was asked for now: "
                        + "leave the option out, or use another name.");
                }

                if (heap->ReadOnly)
                {
                    throw new InvalidOperationException(
                        $"Heap '{owner.Path}' has no cache '{text}', and is attached read-only: open the cache in a process that may write first.");
                }

                if (free == Directory<Hardware>.Unknown)
                {
                    throw new InvalidOperationException(
                        $"Cache '{text}' cannot be opened now: others say that they have made heap '{owner.Path}' larger, and this process cannot find out, "
                        + "because the file was moved, removed, or may not be opened any more. Open the cache before that.");
                }

                if (free < 0)
                {
                    throw new InvalidOperationException($"Heap '{owner.Path}' has {HeaderLayout.Caches} caches already, and none is called '{text}'.");
                }

                ShmStatus status = Directory<Hardware>.TryMake(heap, (uint)free, bytes, name.Length, specification);
                if (status is not (ShmStatus.Ok or ShmStatus.Contended))
                {
                    ObjectDisposedException.ThrowIf(status == ShmStatus.Closed, owner);
                    string advice = Growth<Hardware>.MeansNoRoom(status) || status == ShmStatus.TooLarge
                        ? $" Make the heap larger, or ask for a smaller {nameof(SharedCacheOptions.Capacity)}."
                        : "";
                    throw new InvalidOperationException($"The index of cache '{text}' could not be made in heap '{owner.Path}': {status.Describe()}{advice}");
                }
            }
        }

        throw new InvalidOperationException($"Cache '{text}' could not be opened: others are in the way all the time.");
    }

    private static string Describe(CacheOption option, ulong value) => option switch
    {
        CacheOption.Checksums or CacheOption.AllowsRemoveAll => "false",
        CacheOption.LimitBytes when value == 0 => "none",
        _ => value.ToString(CultureInfo.InvariantCulture),
    };

    private static CacheSpecification Specify(SharedCacheOptions options) => new()
    {
        Capacity = (ulong)Positive(options.Capacity, nameof(options.Capacity), (long)CacheSpecification.MostCapacity),
        LimitBytes = (ulong)Positive(options.LimitBytes, nameof(options.LimitBytes), (long)CacheSpecification.MostLimitBytes),
        TagSlots = (ulong)Positive(options.TagSlots, nameof(options.TagSlots), (long)CacheSpecification.MostTagSlots),
        Checksums = options.Checksums,
        AllowsRemoveAll = options.AllowsRemoveAll,
    };

    private static long Positive(long? value, string name, long most) => value switch
    {
        null => 0,
        <= 0 => throw new ArgumentOutOfRangeException(name, value, "Must be positive; leave it null for the default."),
        _ when value > most => throw new ArgumentOutOfRangeException(name, value, $"At most {most}."),
        _ => value.Value,
    };

    private static void ReadSeed(Attachment* heap, out ulong seed0, out ulong seed1)
    {
        ulong* seed = (ulong*)&heap->Header->HashSeed;
        seed0 = Hardware.Read(seed, "", 0);
        seed1 = Hardware.Read(seed + 1, "", 0);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private CacheKey KeyOf(byte* bytes, int length) => new(bytes, length, KeyHash.Of(bytes, length, _seed0, _seed1));

    private bool TryAgain(ref Retry retry) => retry.TryAgain<Hardware>(_heap);

    /// <summary>Begins a call: until it ends the heap stays attached.</summary>
    /// <exception cref="ObjectDisposedException">The heap has ended.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private Visit Enter()
    {
        Visit visit = new(Heap);
        if (visit.Heap != _heap)
        {
            ThrowEnded(visit);
        }

        return visit;
    }

    [DoesNotReturn]
    private void ThrowEnded(Visit visit)
    {
        visit.Dispose();
        throw new ObjectDisposedException(Heap.GetType().FullName);
    }

    private void ThrowIfClosed() => ObjectDisposedException.ThrowIf(Volatile.Read(ref _heap->Closing) != 0, Heap);
}
