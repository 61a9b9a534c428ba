using System.Globalization;

namespace ShmAlloc.ProcessTests.Worker;

/// <summary>Many allocations at once: filling the heap, and churning in it in the background.</summary>
internal static class BulkVerbs
{
    internal static readonly Dictionary<string, HeapCommand.Verb> All = new(StringComparer.Ordinal)
    {
        ["fill-up"] = FillUp,
        ["check-held"] = CheckHeld,
        ["rewrite-held"] = RewriteHeld,
        ["free-held"] = FreeHeld,
        ["churn"] = StartChurn,
        ["churn-end"] = EndChurn,
        ["malloc-and-free"] = StartMallocAndFree,
    };

    /// <summary><c>fill-up bytes…</c>: allocates each size until there is no more, touching every byte. Answers how many, and why it ended.</summary>
    private static string FillUp(HeapSession session, string[] words)
    {
        var answers = new List<string>();
        foreach (var length in words.Select(HeapSession.Count))
        {
            var count = 0;
            for (; ; count++)
            {
                var offset = session.Heap.Malloc(length, out var status);
                if (status != ShmStatus.Ok)
                {
                    answers.Add(string.Create(CultureInfo.InvariantCulture, $"{count} {status}"));
                    break;
                }

                Contents.Fill(session.Heap, offset, length, offset.Value);
                session.Held.Add((offset, length));
            }
        }

        return string.Join(' ', answers);
    }

    private static string CheckHeld(HeapSession session, string[] words)
    {
        var damaged = session.Held.Count(held => Contents.FirstDifference(session.Heap, held.Offset, held.LengthBytes, held.Offset.Value) >= 0);
        return damaged == 0 ? "same" : string.Create(CultureInfo.InvariantCulture, $"{damaged} damaged");
    }

    /// <summary>Twice, and the second time with what <c>check-held</c> expects.</summary>
    private static string RewriteHeld(HeapSession session, string[] words)
    {
        foreach (var difference in (ulong[])[1, 0])
        {
            session.Held.ForEach(held => Contents.Fill(session.Heap, held.Offset, held.LengthBytes, held.Offset.Value + difference));
        }

        return "rewritten";
    }

    private static string FreeHeld(HeapSession session, string[] words)
    {
        foreach (var (offset, _) in session.Held)
        {
            if (session.Heap.Free(offset) is var status and not ShmStatus.Ok)
            {
                return $"{offset}: {status}";
            }
        }

        session.Held.Clear();
        return "freed";
    }

    /// <summary><c>churn table ledgers intents-per-ledger first-ledger threads intent seed</c>: see <see cref="LedgerTable"/>.</summary>
    private static string StartChurn(HeapSession session, string[] words)
    {
        var numbers = words[1..].Select(HeapSession.Count).ToArray();
        if (numbers is not [var ledgers, var intents, var first, var threads, var intent, var seed])
        {
            throw new ArgumentException("churn takes seven numbers.");
        }

        var table = new LedgerTable(session.Heap, HeapSession.Offset(words[0]), intents);
        for (var thread = 0; thread < threads; thread++)
        {
            var churn = new Churn(session.Heap, table, ledgers, first + thread, intent, seed + thread);
            session.Churning.Add((churn, churn.Start()));
        }

        return "churning";
    }

    private static string EndChurn(HeapSession session, string[] words)
    {
        session.Churning.ForEach(pair => pair.Churn.End());
        session.Churning.ForEach(pair => pair.Thread.Join());
        var operations = session.Churning.Sum(pair => pair.Churn.Operations);
        session.Churning.Clear();
        return operations.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>
    /// <c>malloc-and-free seed</c>: allocates, published at once, and frees, until it is killed. What a killed process has published and
    /// told nobody of stays: at most one allocation here.
    /// </summary>
    private static string StartMallocAndFree(HeapSession session, string[] words)
    {
        var random = new Random(HeapSession.Count(words[0]));
        new Thread(() => MallocAndFree(session.Heap, random)) { IsBackground = true }.Start();
        return "churning";
    }

    private static void MallocAndFree(ShmHeap heap, Random random)
    {
        while (true)
        {
            var offset = heap.Malloc(random.Next(1, random.Next(4) == 0 ? 150_000 : 8_000), out var status);
            if (status is not (ShmStatus.Ok or ShmStatus.Contended or ShmStatus.OutOfMemory) || heap.Free(offset) != ShmStatus.Ok)
            {
                Environment.Exit(Churn.FaultExitCode);
            }
        }
    }
}
