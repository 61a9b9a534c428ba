using Microsoft.Extensions.Caching.Hybrid;

namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>Factories that count their runs.</summary>
internal sealed class Counter
{
    private int _runs;

    /// <summary>For a caller that only looks: what is not there is the default.</summary>
    internal static HybridCacheEntryOptions Look { get; } = new() { Flags = HybridCacheEntryFlags.DisableUnderlyingData };

    internal int Runs => Volatile.Read(ref _runs);

    /// <summary>Never run.</summary>
    internal static ValueTask<T> Nothing<T>(CancellationToken token) => throw new InvalidOperationException("A factory ran that was not to run.");

    /// <summary>Its value is the number of the run.</summary>
    internal ValueTask<int> Next(CancellationToken token) => ValueTask.FromResult(Interlocked.Increment(ref _runs));

    internal ValueTask<T> Count<T>(T value)
    {
        Interlocked.Increment(ref _runs);
        return ValueTask.FromResult(value);
    }
}
