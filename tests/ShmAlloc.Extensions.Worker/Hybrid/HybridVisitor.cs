using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Caching.Hybrid;
using ShmAlloc.Histories;

namespace ShmAlloc.Extensions.Worker.Hybrid;

/// <summary>
/// One thread that reads, sets, and removes what all processes share, and records it. All use the same few keys for a tenth of a second, and then others; so
/// a history has many operations at the same time, and few on each key.
/// </summary>
/// <param name="cache">The cache.</param>
/// <param name="log">Where to record.</param>
/// <param name="name">Another one for each visitor that there ever was.</param>
/// <param name="start">When the first keys began, as <see cref="Stopwatch"/> counts.</param>
/// <param name="hasTags">Whether all values have a tag, which is removed now and then.</param>
internal sealed class HybridVisitor(HybridCache cache, WorkerLog log, long name, long start, bool hasTags)
{
    private const int OperationsPerSlice = 200;
    private const int KeysPerSlice = 4;
    private const int OneInSoManyRemovesTheTag = 300;

    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(100);
    private static readonly HybridCacheEntryOptions ReadOnly = new() { Flags = HybridCacheEntryFlags.DisableUnderlyingData };
    private const string Tag = "storm";

    private readonly string[] _tags = hasTags ? [Tag] : [];
    private readonly Random _random = new((int)name);
    private long _values;

    internal void Run(CancellationToken end)
    {
        long current = -1;
        for (var left = 0; !end.IsCancellationRequested;)
        {
            var slice = (long)(Stopwatch.GetElapsedTime(start) / Slice);
            (left, current) = slice == current ? (left, current) : (OperationsPerSlice, slice);
            if (left == 0)
            {
                Thread.Sleep(1);
                continue;
            }

            left--;
            Visit((int)(slice * KeysPerSlice) + _random.Next(KeysPerSlice));
        }
    }

    private void Visit(int key)
    {
        var text = key.ToString(CultureInfo.InvariantCulture);
        switch (_random.Next(OneInSoManyRemovesTheTag))
        {
            case 0 when hasTags:
                log.Begin(OperationKind.ClearAll, 0);
                Await(cache.RemoveByTagAsync(Tag));
                log.End(Outcome.Done);
                break;
            case < 20:
                log.Begin(OperationKind.Delete, key);
                Await(cache.RemoveAsync(text));
                log.End(Outcome.Done);
                break;
            case < 50:
                var number = (name << 32) | ++_values;
                log.Begin(OperationKind.Set, key, number);
                Await(cache.SetAsync(text, number.ToString(CultureInfo.InvariantCulture), tags: _tags));
                log.End(Outcome.Done);
                break;
            case < 60:
                GetOrCreate(key, text);
                break;
            default:
                log.Begin(OperationKind.Get, key);
                var found = cache.GetOrCreateAsync(text, 0, static (_, _) => ValueTask.FromResult<string?>(null), ReadOnly).AsTask().GetAwaiter().GetResult();
                log.End(found == null ? Outcome.Missing : Outcome.Found, found == null ? 0 : long.Parse(found, CultureInfo.InvariantCulture));
                break;
        }
    }

    /// <summary>
    /// What this factory has made may not have been stored, if somebody removed it meanwhile: so nothing is recorded of its end. Of what another has made it is
    /// recorded that it was there.
    /// </summary>
    private void GetOrCreate(int key, string text)
    {
        var number = (name << 32) | ++_values;
        log.Begin(OperationKind.TryAdd, key, number);
        var made = number.ToString(CultureInfo.InvariantCulture);
        var got = cache.GetOrCreateAsync(text, made, static (made, _) => ValueTask.FromResult(made), tags: _tags).AsTask().GetAwaiter().GetResult();
        if (got != made)
        {
            log.End(Outcome.Exists);
        }
    }

    private static void Await(ValueTask task) => task.AsTask().GetAwaiter().GetResult();
}
