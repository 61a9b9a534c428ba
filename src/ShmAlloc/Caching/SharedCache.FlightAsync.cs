namespace ShmAlloc.Caching;

/// <content>Values that are worked out once, asynchronously.</content>
public sealed partial class SharedCache
{
    private async ValueTask<byte[]> FlyAsync<TState>(
        ReadOnlyMemory<byte> key,
        TState state,
        Func<TState, CancellationToken, ValueTask<byte[]>> factory,
        CacheEntryOptions options,
        CacheFlightOptions flight,
        CancellationToken cancellation)
    {
        Waiting waiting = new(flight);
        while (true)
        {
            FlightState begun = TryFly(key.Span, options, flight.AllowStale, out byte[]? value, out NewItem placeholder);
            if (begun == FlightState.Landed)
            {
                return value!;
            }

            if (begun == FlightState.Overtaken)
            {
                continue;
            }

            if (begun == FlightState.Taken && !waiting.IsOver)
            {
                await Task.Delay(waiting.NextSleep(Heap), cancellation).ConfigureAwait(false);
                continue;
            }

            bool isOurs = begun == FlightState.Begun;
            try
            {
                value = await factory(state, cancellation).ConfigureAwait(false) ?? throw NoValue();
            }
            catch when (isOurs)
            {
                GiveUp(placeholder);
                throw;
            }

            Land(key.Span, value, options, placeholder, isOurs);
            return value;
        }
    }
}
