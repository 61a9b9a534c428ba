using ShmAlloc.ProcessTests.Worker;

namespace ShmAlloc.ProcessTests.Forks;

/// <summary>What the workers of a storm have done, on the board, so that it survives them.</summary>
internal sealed class StormTally(int workers)
{
    internal const int StepsPerNote = 20;

    private const int FirstWord = 32;
    private const int WordsPerWorker = 64;
    private const int NotesWord = 0;
    private const int ProgressWord = 1;
    private const int VisitsWord = 2;
    private const int AdoptionsWord = 3;
    private const int FirstDeedWord = 4;

    private static readonly string[] SizeClasses = ["in a word", "crossing words", "of blocks"];

    private readonly long[] _noted = new long[Enum.GetValues<Deed>().Length * Churn.SizeClasses];

    internal long Steps => Sum(NotesWord) * StepsPerNote;

    internal long Visits => Sum(VisitsWord);

    /// <summary>Counts up when a worker has allocated something: who is only refused gets nowhere.</summary>
    internal long ProgressOf(int worker) => Volatile.Read(ref Word(worker, ProgressWord));

    internal void Reset()
    {
        for (var worker = 0; worker < workers; worker++)
        {
            for (var word = 0; word < WordsPerWorker; word++)
            {
                Word(worker, word) = 0;
            }
        }
    }

    /// <summary>In a worker: adds what was done since the last time. A visit begins with deeds of 0.</summary>
    internal void Note(int worker, ReadOnlySpan<long> deeds, bool hasAdopted)
    {
        var allocated = 0L;
        for (var deed = 0; deed < deeds.Length; deed++)
        {
            var more = deeds[deed] - (deeds[deed] < _noted[deed] ? 0 : _noted[deed]);
            _noted[deed] = deeds[deed];
            Word(worker, FirstDeedWord + deed) += more;
            allocated += deed / Churn.SizeClasses <= (int)Deed.Publish ? more : 0;
        }

        Word(worker, AdoptionsWord) += hasAdopted ? 1 : 0;
        Word(worker, NotesWord)++;
        if (allocated > 0)
        {
            Interlocked.Increment(ref Word(worker, ProgressWord));
        }
    }

    internal void NoteVisit(int worker)
    {
        Word(worker, VisitsWord)++;
        Array.Clear(_noted);
    }

    /// <summary>What nobody has done at all, in some class of size.</summary>
    internal IEnumerable<string> Missing() => Deeds().Where(deed => deed.Count == 0 && deed.Deed != nameof(Deed.Refused)).Select(deed => $"{deed.Deed} {deed.Size}")
        .Concat(Sum(AdoptionsWord) == 0 ? ["adopt"] : [])
        .Concat(Visits == 0 ? ["leave"] : []);

    public override string ToString() => string.Join(", ", Deeds().Select(deed => $"{deed.Deed} {deed.Size} {deed.Count}").Append($"adopted blocks {Sum(AdoptionsWord)}"));

    private IEnumerable<(string Deed, string Size, long Count)> Deeds() =>
        from deed in Enum.GetValues<Deed>()
        from size in SizeClasses.Index()
        select ($"{deed}", size.Item, Sum(FirstDeedWord + ((int)deed * Churn.SizeClasses) + size.Index));

    private long Sum(int word) => Enumerable.Range(0, workers).Sum(worker => Volatile.Read(ref Word(worker, word)));

    private static ref long Word(int worker, int word) => ref Board.Word(FirstWord + (worker * WordsPerWorker) + word);
}
