using System.Runtime.InteropServices;
using PathCache.Files;
using ShmAlloc;
using ShmAlloc.Caching;

namespace PathCache.Sharing;

/// <summary>The cache that all workers share: an answer by the bytes of its path. A value is an <see cref="Answer"/> as it lies in memory.</summary>
internal sealed class AnswerCache
{
    private const string Name = "answers";
    private const string RehearsalName = "rehearsal";

    private readonly SharedCache _cache;

    private AnswerCache(SharedCache cache) => _cache = cache;

    /// <summary>Makes both caches of the demo, with twice as many entries as there are paths: so no entry is dropped for another.</summary>
    public static AnswerCache Create(ShmHeap heap, int paths)
    {
        Open(heap, RehearsalName, 14);
        return Open(heap, Name, Math.Max(paths * 2L, 14));
    }

    /// <summary>Opens the cache that the parent has made.</summary>
    public static AnswerCache Open(ShmHeap heap) => new(SharedCache.Open(heap, Name));

    /// <summary>Does everything once in a cache of its own, and leaves nothing in it.</summary>
    public static void Rehearse(ShmHeap heap, ReadOnlySpan<byte> path, in Answer answer)
    {
        var rehearsal = new AnswerCache(SharedCache.Open(heap, RehearsalName));
        rehearsal.Add(path, answer);
        rehearsal.Add(path, answer);
        rehearsal.TryFind(path, out _);
        rehearsal._cache.Remove(KeyOf(path));
    }

    /// <summary>Looks an answer up.</summary>
    /// <param name="path">The path with its zero byte.</param>
    /// <param name="answer">The answer.</param>
    /// <returns>Whether somebody has left it.</returns>
    public bool TryFind(ReadOnlySpan<byte> path, out Answer answer)
    {
        answer = default;
        Span<byte> bytes = MemoryMarshal.AsBytes(new Span<Answer>(ref answer));
        return _cache.TryGet(KeyOf(path), bytes, out int lengthBytes) && lengthBytes == bytes.Length;
    }

    /// <summary>Leaves an answer for all.</summary>
    /// <param name="path">The path with its zero byte.</param>
    /// <param name="answer">The answer.</param>
    /// <returns><see cref="CacheStatus.Exists"/>: another worker was quicker.</returns>
    public CacheStatus Add(ReadOnlySpan<byte> path, in Answer answer) => _cache.Add(KeyOf(path), BytesOf(answer));

    /// <summary>Puts another answer in the place of one, to show that the check finds it.</summary>
    public void Falsify(ReadOnlySpan<byte> path)
    {
        if (TryFind(path, out Answer answer))
        {
            _cache.Set(KeyOf(path), BytesOf(answer with { SizeBytes = answer.SizeBytes ^ 1 }));
        }
    }

    /// <summary>The number of entries, counted one by one.</summary>
    public int CountEntries() => _cache.Enumerate().Count();

    /// <summary>The figures of all workers: those that have ended told all that they had counted.</summary>
    public CacheStatistics GetStatistics() => _cache.GetStatistics();

    private static AnswerCache Open(ShmHeap heap, string name, long capacity)
    {
        try
        {
            return new AnswerCache(SharedCache.Open(heap, name, new SharedCacheOptions { Capacity = capacity, TagSlots = 1 }));
        }
        catch (InvalidOperationException exception)
        {
            throw new HeapTooSmallException($"{exception.Message} The demo's option for that is --heap-size.");
        }
    }

    private static ReadOnlySpan<byte> KeyOf(ReadOnlySpan<byte> pathWithZero) => pathWithZero[..^1];

    private static ReadOnlySpan<byte> BytesOf(in Answer answer) => MemoryMarshal.AsBytes(new ReadOnlySpan<Answer>(in answer));
}
