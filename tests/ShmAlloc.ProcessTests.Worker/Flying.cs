using System.Globalization;
using System.Text;
using ShmAlloc.Caching;

namespace ShmAlloc.ProcessTests.Worker;

/// <summary>
/// Many callers in one process who want values that others may be working out, while tags, keys and everything are removed, and keys are set. What a value is
/// worked out from are numbers in the heap: one for each tag, one for each key, and one for all. Who counts one up removes the tag, the key or everything after
/// that, or sets the key, and then tells to which number. So nobody who asks later may be given a value that was worked out from an older one.
/// </summary>
/// <param name="heap">Where the numbers lie, and the cache.</param>
/// <param name="board">Where in the heap: what is counted, then the numbers, and what was told of each.</param>
/// <param name="keys">How many keys there are.</param>
internal sealed class Flying(ShmHeap heap, ShmOffset board, int keys)
{
    private const int Counts = 6;
    private const int Tags = 8;

    private const int OneInSoManyRemovesTag = 60;
    private const int OneInSoManyRemovesKey = 15;
    private const int OneInSoManySets = 15;
    private const int OneInSoManyRemovesAll = 2000;
    private const int OneInSoManyFails = 12;
    private const int LongestMilliseconds = 12;

    /// <summary>In the place of the numbers of what was set: it was not worked out.</summary>
    private const string WasSet = "set";

    private readonly SharedCache _cache = SharedCache.Open(heap, options: new() { AllowsRemoveAll = true });
    private Task[] _callers = [];
    private volatile bool _ends;

    /// <summary>What is counted on the board, also of who is killed.</summary>
    private enum Count
    {
        Values,
        Worked,
        Failures,
        Removed,
        Set,
        Old,
    }

    internal void Begin(int callers, int seed) =>
        _callers = [.. Enumerable.Range(0, callers).Select(caller => Task.Run(() => CallAsync(new Random((seed * 10_000) + caller))))];

    /// <summary>Waits for all callers. What a caller met that it must not meet is thrown.</summary>
    internal string End()
    {
        _ends = true;
        Task.WaitAll(_callers);
        return "well";
    }

    private ref long Word(int index) => ref heap.GetReference<long>(new ShmOffset(board.Value + ((ulong)index * sizeof(long))));

    private void Add(Count count) => Interlocked.Increment(ref Word((int)count));

    // Of the numbers: that for all comes first, then those of tags, then those of keys.
    private ref long SourceOf(int number) => ref Word(Counts + number);

    private ref long ToldOf(int number) => ref Word(Counts + 1 + Tags + keys + number);

    private static int NumberOfTag(int key) => 1 + (key % Tags);

    private static int NumberOfKey(int key) => 1 + Tags + key;

    private async Task CallAsync(Random random)
    {
        while (!_ends)
        {
            var key = random.Next(keys);
            if (random.Next(OneInSoManyRemovesTag) == 0)
            {
                Change(NumberOfTag(key), Count.Removed, () => _cache.RemoveByTag(TagOf(key)));
            }

            if (random.Next(OneInSoManyRemovesKey) == 0)
            {
                Change(NumberOfKey(key), Count.Removed, () => _cache.Remove($"key {key}"));
            }

            if (random.Next(OneInSoManySets) == 0)
            {
                var options = OptionsOf(key, random);
                Change(NumberOfKey(key), Count.Set, () => _cache.Set($"key {key}", Encoding.UTF8.GetBytes($"{key} {WasSet}"), options));
            }

            if (random.Next(OneInSoManyRemovesAll) == 0)
            {
                Change(0, Count.Removed, _cache.RemoveAll);
            }

            await GetAsync(key, random);
        }
    }

    /// <summary>Counts a number up, then does something to what was worked out from it, and tells if that is done.</summary>
    private void Change(int number, Count count, Func<CacheStatus> act)
    {
        var source = Interlocked.Increment(ref SourceOf(number));
        var status = act();
        if (status is CacheStatus.Contended or CacheStatus.NoRoom && number > Tags)
        {
            return;
        }

        if (status is not (CacheStatus.Ok or CacheStatus.Missing))
        {
            throw new InvalidOperationException($"A change is answered with {status}.");
        }

        Add(count);
        for (var told = Volatile.Read(ref ToldOf(number)); told < source;)
        {
            told = Interlocked.CompareExchange(ref ToldOf(number), source, told) is var was && was == told ? source : was;
        }
    }

    private static CacheEntryOptions OptionsOf(int key, Random random) => new()
    {
        Tags = CacheTags.Of(TagOf(key)),
        Lifetime = TimeSpan.FromMilliseconds(20 + random.Next(200)),
        StaleFor = random.Next(2) == 0 ? TimeSpan.FromSeconds(1) : null,
        RefreshAfter = random.Next(2) == 0 ? TimeSpan.FromMilliseconds(10) : null,
    };

    private async Task GetAsync(int key, Random random)
    {
        var (told, toldOfTag, toldOfKey) =
            (Volatile.Read(ref ToldOf(0)), Volatile.Read(ref ToldOf(NumberOfTag(key))), Volatile.Read(ref ToldOf(NumberOfKey(key))));
        var pause = random.Next(LongestMilliseconds);
        var fails = random.Next(OneInSoManyFails) == 0;
        var options = OptionsOf(key, random);
        CacheFlightOptions flight = new()
        {
            AllowStale = random.Next(2) == 0,
            RetryAfter = TimeSpan.FromMilliseconds(5),
            WaitLimit = Timeout.InfiniteTimeSpan,
        };
        try
        {
            var value = await _cache.GetOrAddAsync($"key {key}", (_, _) => WorkAsync(key, pause, fails), options, flight, CancellationToken.None);
            Check(key, [told, toldOfTag, toldOfKey], Encoding.UTF8.GetString(value));
            Add(Count.Values);
        }
        catch (TimeoutException)
        {
            Add(Count.Failures);
        }
    }

    private async ValueTask<byte[]> WorkAsync(int key, int milliseconds, bool fails)
    {
        var (source, ofTag, ofKey) =
            (Volatile.Read(ref SourceOf(0)), Volatile.Read(ref SourceOf(NumberOfTag(key))), Volatile.Read(ref SourceOf(NumberOfKey(key))));
        Add(Count.Worked);
        await Task.Delay(milliseconds);
        return fails ? throw new TimeoutException() : Encoding.UTF8.GetBytes($"{key} {source} {ofTag} {ofKey}");
    }

    private void Check(int key, long[] told, string value)
    {
        var words = value.Split(' ');
        var isOld = words[1] != WasSet && words[1..].Zip(told).Any(pair => long.Parse(pair.First, CultureInfo.InvariantCulture) < pair.Second);
        if (HeapSession.Count(words[0]) != key || isOld)
        {
            // Told in the heap, too: this process may be killed before anybody asks it.
            Add(Count.Old);
            throw new InvalidOperationException($"Key {key} has value \"{value}\", and its sources had come to {string.Join(' ', told)} before it was asked for.");
        }
    }

    private static string TagOf(int key) => $"tag {key % Tags}";
}
