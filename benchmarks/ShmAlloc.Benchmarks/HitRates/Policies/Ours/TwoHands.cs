namespace ShmAlloc.Benchmarks.HitRates.Policies.Ours;

/// <summary>
/// The policy that is meant for the cache in shared memory, on a model of its memory: blocks of 64 KiB in which entries lie where there is room, and
/// never move. Everything is charged to it that the others do not pay for: fragmentation, rounding, and its ghost table.
/// <list type="bullet">
/// <item>A hit raises the <see cref="Hint"/>, two bits.</item>
/// <item>An insertion takes room in one of the 16 blocks swept last. If there is none, a block is swept and tried, at most four times; then, in the
/// block swept last, the run of the right length with the least sum of (hint + 1) is cleared.</item>
/// <item>The <b>probation hand</b> sweeps blocks in the order in which they were swept before, once what has been inserted since is more than the
/// share of <see cref="Probation"/>: it drops the entries that are still new.</item>
/// <item>Else the <b>main hand</b> sweeps the next block of memory: it drops cold entries, lowers the hint of warmer ones, and drops new ones only if
/// their probation is over.</item>
/// </list>
/// An entry that is larger than a block is not kept: the model has no runs of blocks.
/// </summary>
internal sealed class TwoHands : IEvictionPolicy
{
    private const int OpenBlocks = 16;
    private const int MostSweeps = 4;

    /// <summary>One ghost word for so many bytes of the cache.</summary>
    private const int BytesOfGhost = 512;

    private readonly Block[] _blocks;
    private readonly Probation _probation;
    private readonly Dictionary<ulong, int> _index = [];
    private readonly Stack<int> _unused = new();
    private Entry[] _entries = new Entry[1024];
    private int _used;

    /// <summary>Numbers of blocks in the order of sweeping: twice as long as there are blocks, so that only stale places fall out at its end.</summary>
    private readonly int[] _ring;
    private long _ringBegin;
    private long _ringEnd;
    private int _mainHand;

    internal TwoHands(long capacityBytes)
    {
        long ghosts = capacityBytes / BytesOfGhost;
        long blocks = (capacityBytes - (ghosts * GhostTable.WordBytes)) / BlockRoom.BlockBytes;
        if (blocks == 0)
        {
            throw new ArgumentOutOfRangeException(nameof(capacityBytes), capacityBytes, "One block of 64 KiB and its ghost table are the least.");
        }

        _blocks = [.. Enumerable.Range(0, (int)blocks).Select(_ => new Block())];
        _ring = new int[2 * blocks];
        _probation = new Probation(blocks * BlockRoom.BlockBytes, new GhostTable(ghosts));
    }

    public long ResidentBytes { get; private set; }

    public bool Request(ulong key, int sizeBytes)
    {
        if (_index.TryGetValue(key, out int number))
        {
            _entries[number].Hint = Hint.AfterHit(_entries[number].Hint);
            return true;
        }

        int units = BlockRoom.UnitsOf(sizeBytes);
        if (units <= BlockRoom.Units)
        {
            Insert(key, sizeBytes, units, _probation.Admit(key, sizeBytes));
        }

        return false;
    }

    private void Insert(ulong key, int sizeBytes, int units, byte hint)
    {
        for (long turn = Math.Max(_ringBegin, _ringEnd - OpenBlocks); turn < _ringEnd; turn++)
        {
            if (At(turn) is { } open && TryPlace(key, sizeBytes, units, hint, open))
            {
                return;
            }
        }

        for (int sweep = 0; sweep < MostSweeps; sweep++)
        {
            if (TryPlace(key, sizeBytes, units, hint, Sweep()))
            {
                return;
            }
        }

        Block last = At(_ringEnd - 1)!;
        Clear(last, units);
        TryPlace(key, sizeBytes, units, hint, last);
    }

    private bool TryPlace(ulong key, int sizeBytes, int units, byte hint, Block block)
    {
        int unit = block.Room.Claim(units);
        if (unit < 0)
        {
            return false;
        }

        if (!_unused.TryPop(out int number))
        {
            number = _used++;
            if (number == _entries.Length)
            {
                Array.Resize(ref _entries, 2 * number);
            }
        }

        _entries[number] = new Entry(key, sizeBytes, unit, units) { Hint = hint };
        block.Entries.Add(number);
        _index.Add(key, number);
        ResidentBytes += sizeBytes;
        return true;
    }

    private Block Sweep()
    {
        int next;
        if (_ringEnd < _blocks.Length)
        {
            // A block that was never used.
            next = (int)_ringEnd;
            _blocks[next].Since = _probation.Now;
        }
        else if (OldestWithProbationOver() is { } oldest)
        {
            next = oldest;
            Drop(_blocks[next], entry => entry.Hint == Hint.New);
            _blocks[next].Since = _probation.Now;
        }
        else
        {
            next = _mainHand;
            _mainHand = (_mainHand + 1) % _blocks.Length;
            SweepWithMainHand(_blocks[next]);
        }

        // Only stale places are lost: while the main hand goes round once, it gives each block a new place.
        _ringBegin = Math.Max(_ringBegin, _ringEnd + 1 - _ring.Length);
        _blocks[next].Turn = _ringEnd;
        _ring[_ringEnd++ % _ring.Length] = next;
        return _blocks[next];
    }

    private int? OldestWithProbationOver()
    {
        while (_ringBegin < _ringEnd && At(_ringBegin) is null)
        {
            _ringBegin++;
        }

        int number = _ring[_ringBegin % _ring.Length];
        return _probation.IsOver(_blocks[number].Since) ? number : null;
    }

    private void SweepWithMainHand(Block block)
    {
        bool isOver = _probation.IsOver(block.Since);
        Drop(block, entry => entry.Hint == Hint.Cold || (entry.Hint == Hint.New && isOver));
        bool anyNew = false;
        foreach (int number in block.Entries)
        {
            ref byte hint = ref _entries[number].Hint;
            anyNew |= hint == Hint.New;
            hint = hint > Hint.Cold ? (byte)(hint - 1) : hint;
        }

        if (!anyNew)
        {
            block.Since = _probation.Now;
        }
    }

    /// <summary>Makes room for one entry, and evicts as little as possible for it: few entries, and of low hints.</summary>
    private void Clear(Block block, int units)
    {
        Entry[] inOrder = [.. block.Entries.Select(number => _entries[number]).OrderBy(entry => entry.Unit)];
        int least = int.MaxValue;
        int best = 0;
        foreach (int begin in (IEnumerable<int>)[0, .. inOrder.Select(entry => entry.Unit + entry.Units)])
        {
            int cost = 0;
            foreach (Entry entry in inOrder)
            {
                cost += entry.Overlaps(begin, units) ? entry.Hint + 1 : 0;
            }

            if (cost < least && begin + units <= BlockRoom.Units)
            {
                (least, best) = (cost, begin);
            }
        }

        Drop(block, entry => entry.Overlaps(best, units));
    }

    private void Drop(Block block, Predicate<Entry> isVictim) => block.Entries.RemoveAll(number =>
    {
        Entry entry = _entries[number];
        if (!isVictim(entry))
        {
            return false;
        }

        block.Room.Free(entry.Unit, entry.Units);
        _index.Remove(entry.Key);
        _unused.Push(number);
        ResidentBytes -= entry.SizeBytes;
        _probation.Evicted(entry.Key, entry.SizeBytes, entry.Hint);
        return true;
    });

    /// <summary>The block that was swept at that turn, unless it was swept again since.</summary>
    private Block? At(long turn)
    {
        Block block = _blocks[_ring[turn % _ring.Length]];
        return block.Turn == turn ? block : null;
    }

    private struct Entry(ulong key, int sizeBytes, int unit, int units)
    {
        internal readonly ulong Key = key;
        internal readonly int SizeBytes = sizeBytes;
        internal readonly int Unit = unit;
        internal readonly int Units = units;
        internal byte Hint;

        internal readonly bool Overlaps(int begin, int units) => Unit < begin + units && begin < Unit + Units;
    }
}
