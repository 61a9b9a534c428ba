using System.Globalization;
using System.Text;
using ShmAlloc.Caching;

namespace ShmAlloc.ProcessTests.Worker;

/// <summary>
/// Many callers in one process who want values that others may be working out, while tags are removed. What a value is worked out from is a number in the heap,
/// one for each tag; who counts it up removes the tag after that, and then tells to which number. So nobody who asks later may be given an older one.
/// </summary>
/// <param name="heap">Where the numbers lie, and the cache.</param>
/// <param name="board">Where in the heap: the source of each tag, what was told of each, and how many old values were given out.</param>
internal sealed class Flying(ShmHeap heap, ShmOffset board)
{
    internal const int Tags = 8;
    internal const int Words = (2 * Tags) + 1;

    private const int OneInSoManyRemoves = 60;
    private const int OneInSoManyFails = 12;
    private const int LongestMilliseconds = 12;

    private readonly SharedCache _cache = SharedCache.Open(heap);
    private Task[] _callers = [];
    private volatile bool _ends;
    private long _values;
    private long _worked;
    private long _failures;

    internal void Begin(int keys, int callers, int seed) =>
        _callers = [.. Enumerable.Range(0, callers).Select(caller => Task.Run(() => CallAsync(keys, new Random((seed * 10_000) + caller))))];

    /// <summary>Waits for all callers.</summary>
    /// <returns>What came of it; what a caller met that it must not meet is thrown.</returns>
    internal string End()
    {
        _ends = true;
        Task.WaitAll(_callers);
        return string.Create(CultureInfo.InvariantCulture, $"well: {_values} values, {_worked} worked out, {_failures} failures");
    }

    private ref long Word(int index) => ref heap.GetReference<long>(new ShmOffset(board.Value + ((ulong)index * sizeof(long))));

    private ref long SourceOf(int tag) => ref Word(tag);

    private ref long ToldOf(int tag) => ref Word(Tags + tag);

    private async Task CallAsync(int keys, Random random)
    {
        while (!_ends)
        {
            var key = random.Next(keys);
            if (random.Next(OneInSoManyRemoves) == 0)
            {
                Remove(key % Tags);
            }

            await GetAsync(key, random);
        }
    }

    private void Remove(int tag)
    {
        var source = Interlocked.Increment(ref SourceOf(tag));
        if (_cache.RemoveByTag(TagOf(tag)) is var status and not CacheStatus.Ok)
        {
            throw new InvalidOperationException($"A tag is not removed: {status}.");
        }

        for (var told = Volatile.Read(ref ToldOf(tag)); told < source;)
        {
            told = Interlocked.CompareExchange(ref ToldOf(tag), source, told) is var was && was == told ? source : was;
        }
    }

    private async Task GetAsync(int key, Random random)
    {
        var told = Volatile.Read(ref ToldOf(key % Tags));
        var pause = random.Next(LongestMilliseconds);
        var fails = random.Next(OneInSoManyFails) == 0;
        CacheEntryOptions options = new()
        {
            Tags = CacheTags.Of(TagOf(key % Tags)),
            Lifetime = TimeSpan.FromMilliseconds(20 + random.Next(200)),
            StaleFor = random.Next(2) == 0 ? TimeSpan.FromSeconds(1) : null,
            RefreshAfter = random.Next(2) == 0 ? TimeSpan.FromMilliseconds(10) : null,
        };
        CacheFlightOptions flight = new()
        {
            AllowStale = random.Next(2) == 0,
            RetryAfter = TimeSpan.FromMilliseconds(5),
            WaitLimit = Timeout.InfiniteTimeSpan,
        };
        try
        {
            var value = await _cache.GetOrAddAsync($"key {key}", (_, _) => WorkAsync(key, pause, fails), options, flight, CancellationToken.None);
            Check(key, told, Encoding.UTF8.GetString(value));
            Interlocked.Increment(ref _values);
        }
        catch (TimeoutException)
        {
            Interlocked.Increment(ref _failures);
        }
    }

    private async ValueTask<byte[]> WorkAsync(int key, int milliseconds, bool fails)
    {
        var source = Volatile.Read(ref SourceOf(key % Tags));
        Interlocked.Increment(ref _worked);
        await Task.Delay(milliseconds);
        return fails ? throw new TimeoutException() : Encoding.UTF8.GetBytes($"{key} {source}");
    }

    private void Check(int key, long told, string value)
    {
        var words = value.Split(' ');
        if (HeapSession.Count(words[0]) != key || long.Parse(words[1], CultureInfo.InvariantCulture) < told)
        {
            // Told in the heap, too: this process may be killed before anybody asks it.
            Interlocked.Increment(ref Word(2 * Tags));
            throw new InvalidOperationException($"Key {key} has value \"{value}\", and its source had come to {told} before it was asked for.");
        }
    }

    private static string TagOf(int tag) => $"tag {tag}";
}
