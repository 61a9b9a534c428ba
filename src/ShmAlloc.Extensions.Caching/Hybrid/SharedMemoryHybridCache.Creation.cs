using System.Diagnostics;
using Microsoft.Extensions.Caching.Hybrid;
using ShmAlloc.Caching;
using ShmAlloc.Extensions.Caching.Diagnostics;

namespace ShmAlloc.Extensions.Caching.Hybrid;

/// <content>What a caller wants to have worked out, and how the factory runs.</content>
internal sealed partial class SharedMemoryHybridCache
{
    /// <summary>What one caller wants to have worked out.</summary>
    private sealed class Creation<TState, T>(
        SharedMemoryHybridCache cache,
        string key,
        TState state,
        Func<TState, CancellationToken, ValueTask<T>> factory,
        HybridCacheEntryOptions? options,
        string[] tags)
    {
        internal string Key => key;

        internal string Inner { get; } = cache._keys.Of(key);

        internal HybridCacheEntryOptions? Options => options;

        internal string[] Tags => tags;

        internal bool HasRun { get; private set; }

        /// <summary>The value as it is stored; what all callers get is made of that.</summary>
        internal async ValueTask<byte[]> RunAsync(TypeSerializer<T> serializer, CancellationToken cancellation)
        {
            HasRun = true;
            using Activity? activity = CacheMetrics.Activities.StartActivity("cache compute");
            long begun = Stopwatch.GetTimestamp();
            byte[] bytes = serializer.Write(await factory(state, cancellation).ConfigureAwait(false));
            cache.RecordComputed(begun);
            return bytes;
        }

        /// <inheritdoc cref="RunAsync"/>
        /// <exception cref="NotStoredException">It is more than may be stored.</exception>
        internal async ValueTask<byte[]> RunForAllAsync(TypeSerializer<T> serializer, CancellationToken cancellation)
        {
            RunningFactory factory = new();
            using RunningFactory.Wait wait = RunningFactory.BeginWait(factory);
            factory.Enter();
            try
            {
                byte[] bytes = await RunAsync(serializer, cancellation).ConfigureAwait(false);
                return cache.IsTooLarge(bytes.Length) ? throw cache.NotStored(bytes) : bytes;
            }
            finally
            {
                factory.End();
            }
        }
    }

    private void RecordComputed(long begun) => metrics.Computed(begun);

    private NotStoredException NotStored(byte[] bytes)
    {
        Tell(CacheStatus.TooLarge, bytes.Length);
        return new NotStoredException(bytes);
    }

    /// <summary>A value for those who wait for it, and not for the cache.</summary>
    private sealed class NotStoredException(byte[] bytes) : Exception("The value is larger than MaximumPayloadBytes, and is not cached.")
    {
        internal byte[] Bytes => bytes;
    }

    /// <summary>Nobody works, and this caller is not to.</summary>
    private sealed class DeclinedException() : Exception("A caller that does not store ends its flight at once.");
}
