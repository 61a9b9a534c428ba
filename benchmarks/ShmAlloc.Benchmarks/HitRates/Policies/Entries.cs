namespace ShmAlloc.Benchmarks.HitRates.Policies;

/// <summary>The entries of a simulated cache by number, and the index that finds them. Numbers of removed entries are used again.</summary>
internal sealed class Entries
{
    internal const int None = -1;

    private readonly Dictionary<ulong, int> _index = [];
    private Entry[] _entries = new Entry[1024];
    private int _used;
    private int _free = None;

    internal long Bytes { get; private set; }

    internal ref Entry this[int number] => ref _entries[number];

    /// <summary>The number of a key's entry, or <see cref="None"/>.</summary>
    internal int Find(ulong key) => _index.TryGetValue(key, out int number) ? number : None;

    internal int Add(ulong key, int sizeBytes)
    {
        int number = _free;
        if (number != None)
        {
            _free = _entries[number].Next;
        }
        else
        {
            number = _used++;
            if (number == _entries.Length)
            {
                Array.Resize(ref _entries, 2 * number);
            }
        }

        _entries[number] = new Entry { Key = key, SizeBytes = sizeBytes, Next = None, Previous = None };
        _index.Add(key, number);
        Bytes += sizeBytes;
        return number;
    }

    internal void Remove(int number)
    {
        _index.Remove(_entries[number].Key);
        Bytes -= _entries[number].SizeBytes;
        _entries[number].Next = _free;
        _free = number;
    }

    /// <summary>One entry, with room for what the policies note about it.</summary>
    internal struct Entry
    {
        internal ulong Key;
        internal int SizeBytes;

        /// <summary>The neighbours in a <see cref="EntryQueue"/>: the next older and the next younger one.</summary>
        internal int Next, Previous;

        /// <summary>How often it was visited since the policy looked last; each policy has its own limit.</summary>
        internal byte Visits;

        /// <summary>In which of its queues a policy keeps it.</summary>
        internal byte Queue;
    }
}
