using System.Buffers.Binary;
using ShmAlloc.Caching;
using ShmAlloc.Inspection;

namespace ShmAlloc.Extensions.Caching.Heaps;

/// <content>What the gauges and the health check tell of it.</content>
internal sealed partial class CacheSpace
{
    /// <summary>Of the room that there is, who pins has at most this part of it.</summary>
    private const int PinnedPart = 8;

    private readonly HashSet<string> _pinnedCounters = new(StringComparer.Ordinal);

    /// <summary>What could not be stored lately.</summary>
    internal Rejections Rejections { get; }

    /// <summary>From here on what is counted under this key is a part of what is pinned.</summary>
    internal void AddPinnedCounter(string key)
    {
        lock (_pinnedCounters)
        {
            _pinnedCounters.Add(key);
        }
    }

    /// <summary>Bytes that one counter may come to.</summary>
    internal long MostPinned(SharedCache cache) => (_options.LimitBytes ?? cache.Heap.MaximumBytes) / PinnedPart;

    /// <summary>
    /// Bytes that the contracts of this space have pinned, in all processes. Which entries of a heap are pinned, only a walk over all of them could tell; so it
    /// is what was counted when they were pinned. What has expired since counts on.
    /// </summary>
    /// <param name="cache">The cache.</param>
    /// <param name="largest">The bytes of the counter that has most.</param>
    /// <exception cref="ObjectDisposedException">The file was closed.</exception>
    internal long PinnedBytes(SharedCache cache, out long largest)
    {
        string[] keys;
        lock (_pinnedCounters)
        {
            keys = [.. _pinnedCounters];
        }

        long sum = 0;
        largest = 0;
        foreach (string key in keys)
        {
            long counted = cache.Get(key) is { Length: sizeof(long) } number ? BinaryPrimitives.ReadInt64LittleEndian(number) : 0;
            sum += counted;
            largest = Math.Max(largest, counted);
        }

        return sum;
    }

    /// <summary>Participant slots that somebody has who lives: those of the dead are free for who comes next. One system call for each that is taken.</summary>
    /// <exception cref="ObjectDisposedException">The file was closed.</exception>
    internal static int ParticipantsOf(ShmHeap heap)
    {
        ShmParticipant[] all = new ShmParticipant[heap.MaxParticipants];
        int read = new ShmInspector(heap).ReadParticipants(all);
        return all.Take(read).Count(participant => participant.Life is not (ShmLife.Free or ShmLife.Dead));
    }
}
