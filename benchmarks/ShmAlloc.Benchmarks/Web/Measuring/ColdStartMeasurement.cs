using System.Collections.Concurrent;
using System.Diagnostics;
using ShmAlloc.Benchmarks.Flights.Measuring;

namespace ShmAlloc.Benchmarks.Web.Measuring;

/// <summary>Nothing is cached yet, and all workers are asked for everything at once, each in an order of its own.</summary>
internal static class ColdStartMeasurement
{
    internal const string Title = "cold start: three workers are asked for all keys at once; the backend behind them takes 20 ms";

    private const int DelayMilliseconds = 20;
    private const int Connections = 64;

    internal static string CallsOf(WebSubject subject) => $"{subject.Name}: calls of the backend ÷ keys";

    internal static IEnumerable<FlightSeries> Measure(WebEffort effort)
    {
        foreach (WebSubject subject in WebSubject.All)
        {
            using WebCell cell = new(subject, DelayMilliseconds);
            long begun = Stopwatch.GetTimestamp();
            Task.WaitAll(Enumerable.Range(0, WebCell.Workers).Select(worker => AskForAllAsync(cell, worker, effort.ColdKeys)));
            double milliseconds = Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
            yield return new FlightSeries(Title, CallsOf(subject), "times", [cell.Truth.Reads / (double)effort.ColdKeys]);
            yield return new FlightSeries(Title, $"{subject.Name}: until all are answered", "ms", [milliseconds]);
        }
    }

    private static Task AskForAllAsync(WebCell cell, int worker, int keys)
    {
        int[] order = [.. Enumerable.Range(0, keys)];
        new Random(worker).Shuffle(order);
        ConcurrentQueue<int> left = new(order);
        return Task.WhenAll(Enumerable.Range(0, Connections).Select(_ => Task.Run(async () =>
        {
            using WebConnection connection = await WebConnection.OpenAsync(cell.PortOf(worker), CancellationToken.None);
            while (left.TryDequeue(out int key))
            {
                await connection.GetAsync($"/get/{key}", CancellationToken.None);
            }
        })));
    }
}
