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
        private long _waitsSince;
        private long _asked;
        private int _askingThread;
        private bool _hasWaited;

        internal string Key => key;

        internal string Inner { get; } = cache._keys.Of(key);

        internal HybridCacheEntryOptions? Options => options;

        internal string[] Tags => tags;

        internal bool HasRun { get; private set; }

        /// <summary>
        /// What the flight of all processes was to this caller, as <c>shmalloc.cache.flights</c> has it. The core says only when it has the factory run; so a
        /// caller that works after it has waited for the whole limit counts as one whose patience has ended.
        /// </summary>
        internal string Outcome { get; private set; } = FlightOutcome.Landed;

        /// <summary>Before the caller asks for the flight of all processes.</summary>
        internal void Ask()
        {
            _askingThread = Environment.CurrentManagedThreadId;
            _asked = Stopwatch.GetTimestamp();
            if (IsTraced)
            {
                _waitsSince = DateTimeOffset.UtcNow.UtcTicks;
            }
        }

        /// <summary>Waits for the flight that it has asked for, and tells of that: unless there is a value at once, or this caller is to work it out.</summary>
        internal async ValueTask<byte[]> WaitAsync(ValueTask<byte[]> flying)
        {
            _askingThread = 0;
            if (flying.IsCompleted)
            {
                _waitsSince = 0;
            }
            else
            {
                _hasWaited = true;
            }

            try
            {
                byte[] bytes = await flying.ConfigureAwait(false);
                EndWait(null);
                Outcome = HasRun ? Outcome : _hasWaited ? FlightOutcome.Waited : FlightOutcome.Landed;
                return bytes;
            }
            catch (Exception exception)
            {
                EndWait(exception);
                throw;
            }
        }

        /// <summary>What it waited for is there, or will never be: then this caller may be the next one to work.</summary>
        private void EndWait(Exception? exception)
        {
            long since = Interlocked.Exchange(ref _waitsSince, 0);
            if (since != 0)
            {
                using Activity? activity = cache.BeginWaiting(new DateTimeOffset(since, TimeSpan.Zero));
                if (exception is not (null or NotStoredException or DeclinedException))
                {
                    activity?.SetStatus(ActivityStatusCode.Error, exception.Message);
                }
            }
        }

        /// <summary>The value as it is stored; what all callers get is made of that.</summary>
        internal async ValueTask<byte[]> RunAsync(TypeSerializer<T> serializer, CancellationToken cancellation)
        {
            bool isAtOnce = _askingThread == Environment.CurrentManagedThreadId;
            if (isAtOnce)
            {
                // It has waited for nobody.
                _waitsSince = 0;
            }

            Outcome = Stopwatch.GetElapsedTime(_asked) >= cache.WaitLimit ? FlightOutcome.Timeout : isAtOnce ? FlightOutcome.Led : FlightOutcome.TakenOver;

            EndWait(null);
            HasRun = true;
            using Activity? activity = cache.BeginComputing();
            long begun = Stopwatch.GetTimestamp();
            try
            {
                byte[] bytes = serializer.Write(await factory(state, cancellation).ConfigureAwait(false));
                cache.RecordComputed(begun);
                return bytes;
            }
            catch (Exception exception)
            {
                activity?.SetStatus(ActivityStatusCode.Error, exception.Message);
                throw;
            }
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

    /// <summary>How long callers wait for one that works. Another limit is for tests.</summary>
    internal TimeSpan WaitLimit { get; set; } = CacheFlightOptions.DefaultWaitLimit;

    private static bool IsTraced => CacheMetrics.Activities.HasListeners();

    private Activity? BeginComputing() => metrics.BeginComputing();

    private Activity? BeginWaiting(DateTimeOffset since = default) => metrics.BeginWaiting(since);

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
