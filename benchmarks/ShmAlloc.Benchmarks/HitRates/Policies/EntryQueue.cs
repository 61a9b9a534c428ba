namespace ShmAlloc.Benchmarks.HitRates.Policies;

/// <summary>A doubly linked list through <see cref="Entries"/>, from the youngest (the head) to the oldest (the tail).</summary>
internal sealed class EntryQueue(Entries entries)
{
    internal int Head { get; private set; } = Entries.None;

    internal int Tail { get; private set; } = Entries.None;

    internal long Bytes { get; private set; }

    internal void AddHead(int number)
    {
        ref Entries.Entry entry = ref entries[number];
        entry.Previous = Entries.None;
        entry.Next = Head;
        if (Head == Entries.None)
        {
            Tail = number;
        }
        else
        {
            entries[Head].Previous = number;
        }

        Head = number;
        Bytes += entry.SizeBytes;
    }

    internal void Remove(int number)
    {
        ref Entries.Entry entry = ref entries[number];
        if (entry.Previous == Entries.None)
        {
            Head = entry.Next;
        }
        else
        {
            entries[entry.Previous].Next = entry.Next;
        }

        if (entry.Next == Entries.None)
        {
            Tail = entry.Previous;
        }
        else
        {
            entries[entry.Next].Previous = entry.Previous;
        }

        Bytes -= entry.SizeBytes;
    }
}
