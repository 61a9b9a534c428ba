using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.OutputCaching;
using ShmAlloc.Caching;
using ShmAlloc.Extensions.Caching.Diagnostics;
using ShmAlloc.Extensions.Caching.Distributed;
using ShmAlloc.Extensions.Caching.Heaps;

namespace ShmAlloc.AspNetCore.OutputCaching;

/// <summary>
/// The output cache in shared memory. What one process evicts by a tag is gone in all of them when the call returns. Without shared memory gets miss, and
/// sets do nothing. Safe for all threads.
/// </summary>
/// <param name="space">Where the pages lie.</param>
/// <param name="metrics">What counts them.</param>
/// <param name="build">A part of the keys, if the options give no <c>Generation</c>.</param>
internal sealed class SharedMemoryOutputCacheStore(CacheSpace space, CacheMetrics metrics, string build) : IOutputCacheBufferStore, IDisposable
{
    internal const string Contract = "output";

    /// <summary>A page with more tags is not stored.</summary>
    private const int MaxTags = 63;

    private readonly CacheKeys _keys = new(space.Options, build);

    public ValueTask EvictByTagAsync(string tag, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(tag);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        space.RemoveByTag(tag);
        return ValueTask.CompletedTask;
    }

    public ValueTask<byte[]?> GetAsync(string key, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled<byte[]?>(cancellationToken);
        }

        byte[]? page = null;
        try
        {
            page = space.Current?.Get(_keys.Of(key));
        }
        catch (ObjectDisposedException)
        {
            // The application ends, or the file was replaced just now.
        }

        metrics.Count(isHit: page != null);
        return ValueTask.FromResult(page);
    }

    public async ValueTask<bool> TryGetAsync(string key, PipeWriter destination, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(destination);
        cancellationToken.ThrowIfCancellationRequested();
        bool isHit = false;
        try
        {
            isHit = space.Current?.TryGet(_keys.Of(key), destination) == true;
        }
        catch (ObjectDisposedException)
        {
            // The application ends, or the file was replaced just now.
        }

        metrics.Count(isHit);
        if (isHit)
        {
            await destination.FlushAsync(cancellationToken).ConfigureAwait(false);
        }

        return isHit;
    }

    public ValueTask SetAsync(string key, byte[] value, string[]? tags, TimeSpan validFor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(value);
        return SetAsync(key, new ReadOnlySequence<byte>(value), tags, validFor, cancellationToken);
    }

    public ValueTask SetAsync(string key, ReadOnlySequence<byte> value, ReadOnlyMemory<string> tags, TimeSpan validFor, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(validFor, TimeSpan.Zero);
        if (cancellationToken.IsCancellationRequested)
        {
            return ValueTask.FromCanceled(cancellationToken);
        }

        HashSet<string> names = new(StringComparer.Ordinal);
        List<CapturedTags> captured = [];
        Sort(tags.Span, names, captured);
        string inner = _keys.Of(key);
        try
        {
            Set(inner, value, [.. names], captured, validFor);
        }
        catch (ObjectDisposedException)
        {
            space.NoteMissed(inner);
        }

        return ValueTask.CompletedTask;
    }

    public void Dispose()
    {
        metrics.Dispose();
        space.Dispose();
    }

    /// <summary>Captures tags at the beginning of a request: if one is removed from here on, the page is not stored.</summary>
    internal CapturedTags Capture(IEnumerable<string> tags)
    {
        string[] names = [.. tags.Where(tag => !CapturedTags.TryFind(tag, out _))];
        try
        {
            return space.Current is { } cache && names.Length <= MaxTags ? new CapturedTags(cache, cache.CaptureTags(names)) : new CapturedTags(null, default);
        }
        catch (ObjectDisposedException)
        {
            return new CapturedTags(null, default);
        }
    }

    private static void Sort(ReadOnlySpan<string> tags, HashSet<string> names, List<CapturedTags> captured)
    {
        foreach (string tag in tags)
        {
            if (tag == null)
            {
                throw new ArgumentException("A tag is null.", nameof(tags));
            }

            if (CapturedTags.TryFind(tag, out CapturedTags? before))
            {
                captured.Add(before!);
            }
            else
            {
                names.Add(tag);
            }
        }
    }

    private void Set(string inner, in ReadOnlySequence<byte> value, string[] names, List<CapturedTags> captured, TimeSpan validFor)
    {
        if (space.Current is not { } cache)
        {
            space.NoteMissed(inner);
            return;
        }

        CacheStatus status = CacheStatus.TooLarge;
        string reason = names.Length > MaxTags ? $"it has {names.Length} tags, and {MaxTags} is the limit" : nameof(CacheStatus.TooLarge);
        if (names.Length <= MaxTags && value.Length <= int.MaxValue)
        {
            // First all tags as they are now, then whether the early ones are still the same: so no removal falls in between.
            CacheEntryOptions entry = new() { Lifetime = Expiry.AtLeastOne(validFor), Tags = cache.CaptureTags(names) };
            if (!captured.TrueForAll(before => before.AreCurrent(cache)))
            {
                metrics.Reject(CacheStatus.Changed);
                return;
            }

            status = value.IsSingleSegment ? cache.Set(inner, value.FirstSpan, entry) : cache.Set(inner, value, entry);
            reason = status.ToString();
        }

        if (status != CacheStatus.Ok)
        {
            // An older page must not be taken for this one.
            metrics.Reject(status);
            space.Log.Dropped(reason, (int)Math.Min(value.Length, int.MaxValue), space.Path);
            space.Supersede(inner);
        }
    }
}
