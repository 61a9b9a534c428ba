namespace ShmAlloc.ProcessTests.Worker;

/// <summary>
/// One thread that reserves, fills, publishes, abandons and frees allocations of all kinds, its own and those of other processes, until it is
/// told to end or killed. Whatever is wrong ends the process with <see cref="FaultExitCode"/> at once.
/// </summary>
internal sealed class Churn(ShmHeap heap, LedgerTable table, int ledgers, int ledger, int intent, int seed)
{
    internal const int FaultExitCode = 9;

    private readonly Random _random = new(seed);
    private volatile bool _mustEnd;

    /// <summary>How a fault ends the process.</summary>
    internal static Action<int> EndProcess { get; set; } = Environment.Exit;

    internal long Operations { get; private set; }

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
            Take(ref table.Entry(_random.Next(ledgers), entry));
        }
        else if (Volatile.Read(ref table.Entry(ledger, entry)) == 0)
        {
            Put(ref table.Entry(ledger, entry));
        }
        else
        {
            Take(ref table.Entry(ledger, entry));
        }

        Operations++;
    }

    private void Put(ref ulong entry)
    {
        var length = NextLength();
        var status = heap.Reserve(length, out var reservation);
        if (status is ShmStatus.OutOfMemory or ShmStatus.Contended)
        {
            return;
        }

        Expect(ShmStatus.Ok, status, "reserving");
        Contents.Stamp(heap, reservation.Offset, length);
        if (_random.Next(4) == 0)
        {
            Expect(ShmStatus.Ok, heap.Abandon(reservation), "abandoning");
            return;
        }

        Volatile.Write(ref table.Intent(ledger, intent), reservation.Offset.Value);
        Expect(ShmStatus.Ok, heap.Publish(reservation), "publishing");
        Volatile.Write(ref entry, reservation.Offset.Value);
        Volatile.Write(ref table.Intent(ledger, intent), 0);
    }

    private void Take(ref ulong entry)
    {
        var offset = Volatile.Read(ref entry);
        if (offset == 0)
        {
            return;
        }

        Interlocked.Exchange(ref table.Intent(ledger, intent), offset);
        if (Interlocked.CompareExchange(ref entry, 0, offset) == offset)
        {
            if (!Contents.HasStamp(heap, new ShmOffset(offset)))
            {
                Fault($"the contents of {offset:x} are damaged");
            }

            Expect(ShmStatus.Ok, heap.Free(new ShmOffset(offset)), "freeing");
        }

        Volatile.Write(ref table.Intent(ledger, intent), 0);
    }

    /// <summary>Mostly within a bitmap word, often crossing words, sometimes a run of blocks (with blocks of 16 to 64 KiB).</summary>
    private int NextLength() => _random.Next(20) switch
    {
        < 11 => _random.Next(Contents.SmallestStampBytes, 1024),
        < 18 => _random.Next(1024, 12_000),
        18 => _random.Next(12_000, 60_000),
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
