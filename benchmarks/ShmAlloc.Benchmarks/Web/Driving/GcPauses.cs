namespace ShmAlloc.Benchmarks.Web.Driving;

/// <summary>The longest time for which the collector has stopped this process, from now on: it is asked every millisecond.</summary>
internal sealed class GcPauses : IDisposable
{
    private static readonly GCKind[] Kinds = [GCKind.Ephemeral, GCKind.Background, GCKind.FullBlocking];

    private readonly long[] _seen = new long[Kinds.Length];
    private readonly int _collectionsBefore = CountCollections();
    private readonly Thread _looking;
    private volatile bool _isOver;

    internal GcPauses()
    {
        for (int kind = 0; kind < Kinds.Length; kind++)
        {
            _seen[kind] = GC.GetGCMemoryInfo(Kinds[kind]).Index;
        }

        _looking = new Thread(LookAgainAndAgain) { IsBackground = true };
        _looking.Start();
    }

    internal TimeSpan Longest { get; private set; }

    internal int Collections => CountCollections() - _collectionsBefore;

    public void Dispose()
    {
        _isOver = true;
        _looking.Join();
    }

    private void LookAgainAndAgain()
    {
        while (!_isOver)
        {
            Look();
            Thread.Sleep(1);
        }
    }

    private void Look()
    {
        for (int kind = 0; kind < Kinds.Length; kind++)
        {
            GCMemoryInfo last = GC.GetGCMemoryInfo(Kinds[kind]);
            if (last.Index == _seen[kind])
            {
                continue;
            }

            _seen[kind] = last.Index;
            foreach (TimeSpan pause in last.PauseDurations)
            {
                Longest = pause > Longest ? pause : Longest;
            }
        }
    }

    private static int CountCollections() => GC.CollectionCount(0);
}
