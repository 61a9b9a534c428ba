namespace ShmAlloc.ProcessTests.Worker;

/// <summary>
/// One thread that allocates in every way, fills, abandons and frees, its own and what other processes handed over, until it is told to end or
/// killed. Whatever is wrong ends the process with <see cref="FaultExitCode"/> at once.
/// </summary>
internal sealed class Churn(ShmHeap heap, LedgerTable table, int ledgers, int ledger, int intent, int seed)
{
    internal const int FaultExitCode = 9;

    /// <summary>Within a bitmap word, crossing words, a run of blocks: roughly, by the length that was asked for.</summary>
    internal const int SizeClasses = 3;

    private const int LongestInWord = 1024;
    private const int LongestInBlock = 12_000;

    private readonly Random _random = new(seed);
    private readonly long[] _deeds = new long[Enum.GetValues<Deed>().Length * SizeClasses];
    private volatile bool _mustEnd;

    /// <summary>How a fault ends the process.</summary>
    internal static Action<int> EndProcess { get; set; } = Environment.Exit;

    internal long Operations { get; private set; }

    /// <summary>What it has done so far, by <see cref="Deed"/> and, within that, by class of size.</summary>
    internal ReadOnlySpan<long> Deeds => _deeds;

    internal Thread Start()
    {
        var thread = new Thread(Run) { IsBackground = true, Name = $"{nameof(Churn)} {ledger}" };
        thread.Start();
        return thread;
    }

    internal void End() => _mustEnd = true;

    private void Run()
    {
        try
        {
            while (!_mustEnd)
            {
                Step();
            }
        }
        catch (Exception exception)
        {
            Fault(exception.ToString());
        }
    }

    /// <summary>Does one thing, on the calling thread.</summary>
    internal void Step()
    {
        var entry = _random.Next(LedgerTable.EntriesPerLedger);
        if (_random.Next(8) == 0)
        {
            var other = _random.Next(ledgers);
            Take(ref table.Entry(other, entry), other == ledger ? Deed.Free : Deed.FreeOther);
        }
        else if (Volatile.Read(ref table.Entry(ledger, entry)) == 0)
        {
            Put(ref table.Entry(ledger, entry));
        }
        else
        {
            Take(ref table.Entry(ledger, entry), Deed.Free);
        }

        Operations++;
    }

    private void Put(ref ulong entry)
    {
        var length = NextLength();
        switch (_random.Next(8))
        {
            case 0 or 1:
                Keep(ref entry, Deed.Malloc, heap.Malloc(length, out var status), length, status);
                break;
            case 2:
                Keep(ref entry, Deed.Calloc, heap.Calloc(1, length, out status), length, status);
                break;
            default:
                Reserve(ref entry, length);
                break;
        }
    }

    private void Reserve(ref ulong entry, int length)
    {
        var status = heap.Reserve(length, out var reservation);
        if (!IsThere(status, length))
        {
            return;
        }

        Contents.Stamp(heap, reservation.Offset, length);
        if (_random.Next(4) == 0)
        {
            Expect(ShmStatus.Ok, heap.Abandon(reservation), "abandoning");
            Note(Deed.Abandon, length);
            return;
        }

        Volatile.Write(ref table.Intent(ledger, intent), reservation.Offset.Value);
        Expect(ShmStatus.Ok, heap.Publish(reservation), "publishing");
        HandOver(ref entry, reservation.Offset);
        Note(Deed.Publish, length);
    }

    /// <summary>What is published at once: of that, nobody knows for a moment.</summary>
    private void Keep(ref ulong entry, Deed deed, ShmOffset offset, int length, ShmStatus status)
    {
        if (!IsThere(status, length))
        {
            return;
        }

        Volatile.Write(ref table.Intent(ledger, intent), offset.Value);
        if (deed == Deed.Calloc && heap.GetReadOnlySpan(offset, length).ContainsAnyExcept((byte)0))
        {
            Fault($"{offset} was to be zero");
        }

        Contents.Stamp(heap, offset, length);
        HandOver(ref entry, offset);
        Note(deed, length);
    }

    /// <summary>Into the table, where anybody may take it.</summary>
    private void HandOver(ref ulong entry, ShmOffset offset)
    {
        Volatile.Write(ref entry, offset.Value);
        Volatile.Write(ref table.Intent(ledger, intent), 0);
    }

    private bool IsThere(ShmStatus status, int length)
    {
        if (status is ShmStatus.OutOfMemory or ShmStatus.Contended)
        {
            Note(Deed.Refused, length);
            return false;
        }

        Expect(ShmStatus.Ok, status, "allocating");
        return true;
    }

    private void Take(ref ulong entry, Deed deed)
    {
        var offset = Volatile.Read(ref entry);
        if (offset == 0)
        {
            return;
        }

        Interlocked.Exchange(ref table.Intent(ledger, intent), offset);
        if (Interlocked.CompareExchange(ref entry, 0, offset) == offset)
        {
            var taken = new ShmOffset(offset);
            if (!Contents.HasStamp(heap, taken))
            {
                Fault($"the contents of {taken} are damaged");
            }

            var length = (int)heap.UsableSize(taken);
            Expect(ShmStatus.Ok, heap.Free(taken), "freeing");
            Note(deed, length);
        }

        Volatile.Write(ref table.Intent(ledger, intent), 0);
    }

    private void Note(Deed deed, int length) =>
        _deeds[((int)deed * SizeClasses) + (length <= LongestInWord ? 0 : length <= LongestInBlock ? 1 : 2)]++;

    /// <summary>Mostly within a bitmap word, often crossing words, sometimes a run of blocks (with blocks of 16 to 64 KiB).</summary>
    private int NextLength() => _random.Next(20) switch
    {
        < 11 => _random.Next(Contents.SmallestStampBytes, LongestInWord),
        < 18 => _random.Next(LongestInWord, LongestInBlock),
        18 => _random.Next(LongestInBlock, 60_000),
        _ => _random.Next(60_000, 200_000),
    };

    private static void Expect(ShmStatus expected, ShmStatus status, string what)
    {
        if (status != expected)
        {
            Fault($"{what} gave {status}");
        }
    }

    private static void Fault(string what)
    {
        Console.Error.WriteLine(what);
        EndProcess(FaultExitCode);
    }
}

/// <summary>What a <see cref="Churn"/> does.</summary>
internal enum Deed
{
    Malloc,
    Calloc,
    Publish,
    Abandon,
    Free,

    /// <summary>What somebody else had handed over.</summary>
    FreeOther,

    /// <summary>There was no room.</summary>
    Refused,
}
