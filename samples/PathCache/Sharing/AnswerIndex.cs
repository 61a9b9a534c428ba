using System.IO.Hashing;
using System.Numerics;
using PathCache.Files;
using ShmAlloc;

namespace PathCache.Sharing;

/// <summary>What became of an answer that was to be left for all.</summary>
internal enum Added
{
    /// <summary>It is in the index.</summary>
    Linked,

    /// <summary>Another worker was quicker; our record is freed again.</summary>
    LostRace,

    /// <summary>There was no room for it; everything works as before, only slower.</summary>
    NoRoom,
}

/// <summary>
/// The index that all workers share: a hash table in the heap, without locks. It is nothing but an array of 64-bit words: 0, or the offset
/// of an <see cref="AnswerRecord"/>.
/// <list type="bullet">
/// <item>A path's search starts at the word that its hash names and goes on to the next one (linear probing) until it meets 0.</item>
/// <item>An entry is written once, by one CAS from 0, and never changed: what a search has passed, it need not look at again.</item>
/// <item>A record is reserved, filled, published and only then linked. A worker that is killed before it publishes leaves nothing,
/// recovery takes the reservation back; killed between publishing and linking, it leaves one record that nobody finds.</item>
/// <item>Two workers with the same new path try for the same word, because neither can pass a 0. One CAS wins; the other finds the winner there and frees its own.</item>
/// </list>
/// </summary>
internal sealed unsafe class AnswerIndex
{
    private readonly ShmHeap _heap;
    private readonly ulong* _entries;
    private readonly ulong _mask;

    private AnswerIndex(ShmHeap heap, ShmOffset offset, ulong capacity)
    {
        _heap = heap;
        _entries = (ulong*)heap.GetPointer(offset);
        _mask = capacity - 1;
    }

    public int Capacity => (int)(_mask + 1);

    /// <summary>Makes an empty index, at most half full with so many paths, so that searches stay short.</summary>
    public static void Create(ShmHeap heap, int paths)
    {
        long capacity = (long)BitOperations.RoundUpToPowerOf2((ulong)Math.Max(paths, 4) * 2);
        ShmOffset offset = heap.Calloc(capacity, sizeof(ulong), out ShmStatus status);
        SharedRoots.Set(heap, SharedRoot.Index, SharedRoots.Required(offset, status, $"an index of {capacity:N0} entries"));
    }

    /// <summary>Finds the index in the heap. Its capacity is the power of two that fits into the allocation: nothing has to be believed.</summary>
    public static AnswerIndex Open(ShmHeap heap)
    {
        ShmOffset offset = SharedRoots.Find(heap, SharedRoot.Index, sizeof(ulong), out long usableBytes);
        ulong capacity = ulong.CreateChecked(usableBytes / sizeof(ulong));
        return new AnswerIndex(heap, offset, (ulong)1 << BitOperations.Log2(capacity));
    }

    /// <summary>Uses an index of its own once in every way, and gives everything back.</summary>
    public static void Rehearse(ShmHeap heap, ReadOnlySpan<byte> path, in Answer answer)
    {
        ShmOffset table = heap.Calloc(4, sizeof(ulong));
        if (table.IsNull)
        {
            return;
        }

        var index = new AnswerIndex(heap, table, 4);
        ulong hash = HashOf(path);
        index.Add(path, hash, answer);
        index.Add(path, hash, answer);
        index.TryFind(path, hash, out _);
        foreach (ShmOffset record in index.Records())
        {
            heap.Free(record);
        }

        heap.Free(table);
    }

    public static ulong HashOf(ReadOnlySpan<byte> path) => XxHash3.HashToUInt64(path);

    /// <summary>Looks an answer up. Writes nothing.</summary>
    /// <param name="path">The path with its zero byte.</param>
    /// <param name="hash">Its <see cref="HashOf"/>.</param>
    /// <param name="answer">The answer.</param>
    /// <returns>Whether somebody has left it.</returns>
    public bool TryFind(ReadOnlySpan<byte> path, ulong hash, out Answer answer)
    {
        for (ulong probe = 0; probe <= _mask; probe++)
        {
            ulong entry = Volatile.Read(ref _entries[(hash + probe) & _mask]);
            if (entry == 0)
            {
                break;
            }

            if (AnswerRecord.TryRead(_heap, new ShmOffset(entry), path, hash, out answer))
            {
                return true;
            }
        }

        answer = default;
        return false;
    }

    /// <summary>Leaves an answer for all.</summary>
    /// <param name="path">The path with its zero byte.</param>
    /// <param name="hash">Its <see cref="HashOf"/>.</param>
    /// <param name="answer">The answer.</param>
    public Added Add(ReadOnlySpan<byte> path, ulong hash, in Answer answer)
    {
        if (_heap.Reserve(AnswerRecord.TotalBytes(path), out ShmReservation reservation) != ShmStatus.Ok)
        {
            return Added.NoRoom;
        }

        AnswerRecord.Write(_heap.GetSpan(reservation.Offset, AnswerRecord.TotalBytes(path)), path, hash, answer);
        _heap.Publish(reservation);
        Added outcome = Link(reservation.Offset, path, hash);
        if (outcome != Added.Linked)
        {
            _heap.Free(reservation.Offset);
        }

        return outcome;
    }

    /// <summary>The offsets of all records, in no order. Entries that appear meanwhile may be missed.</summary>
    public IEnumerable<ShmOffset> Records()
    {
        for (int entry = 0; entry < Capacity; entry++)
        {
            if (EntryAt(entry) is var offset and not 0)
            {
                yield return new ShmOffset(offset);
            }
        }
    }

    private Added Link(ShmOffset record, ReadOnlySpan<byte> path, ulong hash)
    {
        for (ulong probe = 0; probe <= _mask; probe++)
        {
            // Writes: any worker, once. Reads: all. Takes effect here, at the CAS, which also orders the record's bytes before it.
            // If the worker dies just before, nobody knows the record; just after, everything is done.
            ulong present = Interlocked.CompareExchange(ref _entries[(hash + probe) & _mask], record.Value, 0);
            if (present == 0)
            {
                return Added.Linked;
            }

            if (AnswerRecord.TryRead(_heap, new ShmOffset(present), path, hash, out _))
            {
                return Added.LostRace;
            }
        }

        return Added.NoRoom;
    }

    private ulong EntryAt(int entry) => Volatile.Read(ref _entries[entry]);
}
