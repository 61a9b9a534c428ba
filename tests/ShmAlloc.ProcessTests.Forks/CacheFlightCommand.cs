using System.Diagnostics;
using System.Globalization;
using ShmAlloc.Caching;

namespace ShmAlloc.ProcessTests.Forks;

/// <summary>
/// <c>cache-flights path rounds</c>: several processes want one value that nobody has yet. One of them works it out; if it is killed meanwhile, another one
/// takes over, although nobody has waited for the limit, which is longer than any test.
/// </summary>
internal sealed class CacheFlightCommand(string path, int rounds)
{
    private const int Waiters = 4;
    private const uint LongestLifeSeconds = 3600;
    private const string Name = "flights";

    // On the board.
    private const int StartedWord = 10;
    private const int EnteredWord = 11;
    private const int MadeWord = 12;
    private const int FirstResultWord = 20;

    private static readonly CacheFlightOptions Patient = new() { WaitLimit = TimeSpan.FromDays(1) };

    private readonly List<string> _faults = [];

    internal static int Run(string[] arguments) => new CacheFlightCommand(arguments[0], int.Parse(arguments[1], CultureInfo.InvariantCulture)).Run();

    private int Run()
    {
        var watch = Stopwatch.StartNew();
        using var heap = ShmHeap.Create(path, new ShmHeapOptions { SizeBytes = 2 << 20, MaxParticipants = 16 });
        var cache = SharedCache.Open(heap, Name);
        var kept = heap.GetStatistics().UsedBytes / heap.UnitBytes;

        // In this process first, which thereby compiles all that its children will need.
        Ask("rehearsal", 0, isVictim: false);
        Ask("rehearsal", 0, isVictim: false);
        for (var round = 0; round < rounds && _faults.Count == 0; round++)
        {
            AskAllAtOnce($"at once {round}");
            KillWhoWorks($"before {round}", startsWaitersBefore: true);
            KillWhoWorks($"after {round}", startsWaitersBefore: false);
        }

        cache.Clear();
        _faults.AddRange(Judge.Examine(heap, kept, kept));
        _faults.ForEach(fault => Console.WriteLine($"fault: {fault}"));
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{rounds} rounds in {watch.Elapsed.TotalSeconds:f1} s, {_faults.Count} faults"));
        return _faults.Count == 0 ? 0 : 1;
    }

    private void AskAllAtOnce(string key)
    {
        Forget();
        Expect(key, StartWaiters(key), waitsFor: Waiters);
    }

    /// <summary>The one that works never ends by itself: whoever returns did not wait for it, and not for the limit either.</summary>
    private void KillWhoWorks(string key, bool startsWaitersBefore)
    {
        Forget();
        var victim = Child.Start(LongestLifeSeconds, () => Ask(key, 0, isVictim: true));
        Await(EnteredWord, 1);
        List<int> waiters = [];
        if (startsWaitersBefore)
        {
            waiters = StartWaiters(key);
            Await(StartedWord, Waiters);
        }

        if (Board.Word(MadeWord) != 0)
        {
            _faults.Add($"{key}: two worked at once");
        }

        Child.Kill(victim);
        Child.End(victim);
        Expect(key, startsWaitersBefore ? waiters : StartWaiters(key), waitsFor: 0);
    }

    private List<int> StartWaiters(string key) =>
        [.. Enumerable.Range(0, Waiters).Select(number => Child.Start(LongestLifeSeconds, () => Ask(key, number, isVictim: false)))];

    /// <summary>All of them end by themselves, one of them has worked, and all have its value.</summary>
    private void Expect(string key, List<int> waiters, int waitsFor)
    {
        Await(StartedWord, waitsFor);
        foreach (var waiter in waiters)
        {
            if (Child.End(waiter) is var end and not Child.OrderlyExit)
            {
                _faults.Add($"{key}: a process ended with {end}");
            }
        }

        var results = Enumerable.Range(0, Waiters).Select(number => Board.Word(FirstResultWord + number)).ToList();
        if (Board.Word(MadeWord) != 1 || results.Exists(result => result != 1))
        {
            _faults.Add($"{key}: {Board.Word(MadeWord)} times worked out; the results are {string.Join(", ", results)}");
        }
    }

    private void Ask(string key, int number, bool isVictim)
    {
        using var heap = ShmHeap.Attach(path);
        var cache = SharedCache.Open(heap, Name);
        if (!isVictim)
        {
            Interlocked.Increment(ref Board.Word(StartedWord));
        }

        var value = cache.GetOrAdd(key, _ => isVictim ? WorkForEver() : Work(), default, Patient);
        Board.Word(FirstResultWord + number) = BitConverter.ToInt64(value);
    }

    private static byte[] WorkForEver()
    {
        for (Interlocked.Increment(ref Board.Word(EnteredWord)); ;)
        {
            Thread.Yield();
        }
    }

    /// <summary>Not before everybody has asked.</summary>
    private static byte[] Work()
    {
        var made = Interlocked.Increment(ref Board.Word(MadeWord));
        Await(StartedWord, Board.Word(FirstResultWord) < 0 ? Waiters : 0);
        return BitConverter.GetBytes(made);
    }

    private static void Await(int word, long least)
    {
        while (Volatile.Read(ref Board.Word(word)) < least)
        {
            Thread.Yield();
        }
    }

    private static void Forget()
    {
        foreach (var word in (int[])[StartedWord, EnteredWord, MadeWord])
        {
            Board.Word(word) = 0;
        }

        for (var number = 0; number < Waiters; number++)
        {
            Board.Word(FirstResultWord + number) = -1;
        }
    }
}
