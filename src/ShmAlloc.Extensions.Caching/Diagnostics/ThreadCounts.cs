using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ShmAlloc.Extensions.Caching.Diagnostics;

/// <summary>What is counted of the requests to a cache.</summary>
internal enum RequestCount
{
    /// <summary>Shared memory had the value.</summary>
    Hit,
    Miss,

    /// <summary>The first level had it: a hit of the cache as well.</summary>
    LocalHit,
    LocalStale,
    LocalMiss,
}

/// <summary>
/// Counts of one cache in this process. Each thread adds to words of its own, by plain instructions: a hit waits for no other processor, and the next one need
/// not wait for it. No count is lost, also not those of threads that have ended.
/// </summary>
internal sealed class ThreadCounts
{
    private const int Counts = 5;

    /// <summary>Of the caches that one thread uses, so many are found at once; what is not, is looked for.</summary>
    private const int Known = 8;

    private static int _made;

    [ThreadStatic]
    private static Cell?[]? _known;

    private readonly int _place = (int)((uint)Interlocked.Increment(ref _made) % Known);
    private readonly List<Cell> _cells = [];
    private readonly long[] _ofEndedThreads = new long[Counts];

    /// <summary>How many threads have words of their own.</summary>
    internal int Threads
    {
        get
        {
            lock (_cells)
            {
                return _cells.Count;
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void Add(RequestCount count)
    {
        Cell?[]? known = _known;
        Cell? cell = known?[_place];
        if (cell == null || cell.Owner != this)
        {
            cell = Find();
        }

        cell.Words[(int)count]++;
    }

    internal long Sum(params ReadOnlySpan<RequestCount> counts)
    {
        long sum = 0;
        lock (_cells)
        {
            foreach (RequestCount count in counts)
            {
                sum += _ofEndedThreads[(int)count];
                foreach (Cell cell in _cells)
                {
                    sum += Volatile.Read(ref cell.Words[(int)count]);
                }
            }
        }

        return sum;
    }

    /// <summary>The words of this thread, which begin with its first request.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private Cell Find()
    {
        Thread thread = Thread.CurrentThread;
        Cell? cell;
        lock (_cells)
        {
            cell = _cells.Find(each => each.Thread == thread);
            if (cell == null)
            {
                _cells.RemoveAll(TakeIfEnded);
                cell = new Cell(this, thread);
                _cells.Add(cell);
            }
        }

        (_known ??= new Cell[Known])[_place] = cell;
        return cell;
    }

    private bool TakeIfEnded(Cell cell)
    {
        if (cell.Thread.IsAlive)
        {
            return false;
        }

        for (int count = 0; count < Counts; count++)
        {
            _ofEndedThreads[count] += cell.Words[count];
        }

        return true;
    }

    /// <summary>What one thread has counted.</summary>
    private sealed class Cell(ThreadCounts owner, Thread thread)
    {
        internal Lines Words;

        internal ThreadCounts Owner => owner;

        internal Thread Thread => thread;
    }

    /// <summary>Words in a cache line of their own.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Lines
    {
        private Line _before;
        private Line _words;
        private Line _after;

        [UnscopedRef]
        internal ref long this[int index] => ref _words[index];
    }

    /// <summary>A cache line.</summary>
    [InlineArray(8)]
    private struct Line
    {
        private long _first;
    }
}
