using System.Runtime.CompilerServices;

namespace ShmAlloc.Caching;

/// <content>Values that are worked out once.</content>
public sealed unsafe partial class SharedCache
{
    /// <summary>
    /// The value of a key; if it has none, the factory works it out, in one thread of one process at a time. If that process dies, another takes over at once.
    /// A value that was worked out while the key or one of its tags was removed is returned, and not stored.
    /// </summary>
    /// <remarks>
    /// Callers in one process share the result, also one that cannot be stored, and an exception of the factory; each gets an array of its own. Callers in
    /// other processes get what was stored; a factory that has failed is run again by one of them.
    /// <para>
    /// An <see cref="OperationCanceledException"/> of the factory is such an exception, too: a time limit within it, say. But if the token that its caller gave
    /// to <c>GetOrAddAsync</c> is cancelled then, it is taken for the cancellation of that caller, and one of the others begins anew.
    /// </para>
    /// <para>
    /// What a factory starts counts as part of it, although it may not wait for that: if it asks for the same key, or for one that waits for it, it is told
    /// that it would wait for itself. Start it with <c>Task.Run</c> while <see cref="ExecutionContext.SuppressFlow"/> is in effect.
    /// </para>
    /// </remarks>
    /// <typeparam name="TState">What the factory is given.</typeparam>
    /// <param name="key">The key: at most 65,535 bytes.</param>
    /// <param name="state">What the factory is given.</param>
    /// <param name="factory">
    /// Works the value out. It may take as long as it likes, and use this cache; if it asks for a key whose factory waits for this one, that throws.
    /// </param>
    /// <param name="options">
    /// How long the value lives, counted from when it is set. Tags that are given by their names are captured right before the factory runs.
    /// </param>
    /// <param name="flight">What those do who wait, and whether a stale value will do.</param>
    /// <returns>The value. If it could not be stored, for want of room for instance, it is returned all the same.</returns>
    /// <exception cref="ArgumentException">An option is out of its range.</exception>
    /// <exception cref="InvalidOperationException">The factory returned null, or waits for itself.</exception>
    /// <exception cref="ObjectDisposedException">The heap was disposed.</exception>
    /// <example>
    /// <code>
    /// byte[] page = cache.GetOrAdd(
    ///     "page 5"u8, database, static database => Render(database.Article(5)), new() { Lifetime = TimeSpan.FromMinutes(5), Tags = "article 5" });
    /// </code>
    /// </example>
    public byte[] GetOrAdd<TState>(
        ReadOnlySpan<byte> key, TState state, Func<TState, byte[]> factory, in CacheEntryOptions options = default, in CacheFlightOptions flight = default)
    {
        ArgumentNullException.ThrowIfNull(factory);
        ThrowIfInvalid(options, flight);
        byte[]? value = Get(key);
        return value != null && !(flight.RefreshesInline && IsDue(key, options, flight.Limit))
            ? value
            : Fly(key.ToArray(), state, factory, options, flight, value);
    }

    /// <inheritdoc cref="GetOrAdd{TState}(ReadOnlySpan{byte}, TState, Func{TState, byte[]}, in CacheEntryOptions, in CacheFlightOptions)"/>
    [SkipLocalsInit]
    public byte[] GetOrAdd(
        string key, Func<string, byte[]> factory, in CacheEntryOptions options = default, in CacheFlightOptions flight = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        Span<byte> buffer = stackalloc byte[TextKey.ShortBytes];
        return GetOrAdd(TextKey.Utf8(key, buffer), key, factory, options, flight);
    }

    /// <inheritdoc cref="GetOrAdd{TState}(ReadOnlySpan{byte}, TState, Func{TState, byte[]}, in CacheEntryOptions, in CacheFlightOptions)"/>
    /// <remarks>
    /// As the other form. What a caller does after it has awaited another process may run in a thread of the heap instead of one of the pool; it may take
    /// as long as it likes, and block.
    /// </remarks>
    /// <param name="key">The key: at most 65,535 bytes.</param>
    /// <param name="state">What the factory is given.</param>
    /// <param name="factory">
    /// Works the value out; its token is cancelled when the last caller in this process has left. It may take as long as it likes, and use this cache; if
    /// it asks for a key whose factory waits for this one, that throws.
    /// </param>
    /// <param name="options">
    /// How long the value lives, counted from when it is set. Tags that are given by their names are captured right before the factory runs.
    /// </param>
    /// <param name="flight">What those do who wait, and whether a stale value will do.</param>
    /// <param name="cancellation">Ends the wait of this caller; the factory goes on as long as others wait for it.</param>
    /// <example>
    /// <code>
    /// byte[] news = await cache.GetOrAddAsync(
    ///     key,
    ///     client,
    ///     static async (client, cancellation) => await client.GetByteArrayAsync("news", cancellation),
    ///     new() { Lifetime = TimeSpan.FromMinutes(1), StaleFor = TimeSpan.FromHours(1) },
    ///     new() { AllowStale = true });
    /// </code>
    /// </example>
    public ValueTask<byte[]> GetOrAddAsync<TState>(
        ReadOnlyMemory<byte> key,
        TState state,
        Func<TState, CancellationToken, ValueTask<byte[]>> factory,
        CacheEntryOptions options = default,
        CacheFlightOptions flight = default,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(factory);
        ThrowIfInvalid(options, flight);
        byte[]? value = Get(key.Span);
        if (value == null)
        {
            return FlyAsync(key.ToArray(), state, factory, options, flight, cancellation);
        }

        if (IsDue(key.Span, options, flight.Limit))
        {
            RefreshAhead(key.ToArray(), state, factory, options, flight, value, cancellation);
        }

        return ValueTask.FromResult(value);
    }

    /// <summary>The value of a key; if it has none, the factory, which is given the key, works it out: see the other form.</summary>
    /// <param name="key">The key: at most 65,535 bytes of UTF-8.</param>
    /// <param name="factory">Works the value out; its token is cancelled when the last caller in this process has left.</param>
    /// <param name="options">How long the value lives, counted from when it is set.</param>
    /// <param name="flight">What those do who wait, and whether a stale value will do.</param>
    /// <param name="cancellation">Ends the wait of this caller; the factory goes on as long as others wait for it.</param>
    /// <returns>The value. If it could not be stored, for want of room for instance, it is returned all the same.</returns>
    public ValueTask<byte[]> GetOrAddAsync(
        string key,
        Func<string, CancellationToken, ValueTask<byte[]>> factory,
        CacheEntryOptions options = default,
        CacheFlightOptions flight = default,
        CancellationToken cancellation = default)
    {
        ArgumentNullException.ThrowIfNull(key);
        return GetOrAddAsync(TextKey.Utf8(key, []).ToArray(), key, factory, options, flight, cancellation);
    }

    private byte[] Fly<TState>(
        byte[] key, TState state, Func<TState, byte[]> factory, in CacheEntryOptions options, in CacheFlightOptions flight, byte[]? due)
    {
        FlightCall call = new(this, key, options, flight, due) { Blocks = true };
        while (true)
        {
            switch (call.Next())
            {
                case FlightStep.Done:
                    return call.Value;
                case FlightStep.Wait:
                    call.Wait();
                    break;
                case FlightStep.Work:
                    call.BeginWork();
                    try
                    {
                        call.Land(factory(state));
                    }
                    catch (Exception exception)
                    {
                        call.Fail(exception, isCancelledByCaller: false);
                        if (!call.TryTakeInstead())
                        {
                            throw;
                        }
                    }
                    finally
                    {
                        call.EndWork();
                    }

                    return call.Value;
            }
        }
    }
}
