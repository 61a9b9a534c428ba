using System.Diagnostics;
using System.Globalization;
using ShmAlloc.Benchmarks.Caches.Driving;
using ShmAlloc.Benchmarks.Driving;
using ShmAlloc.Benchmarks.Flights.Measuring;

namespace ShmAlloc.Benchmarks.Web.Measuring;

/// <summary>Requests that the workers answer, of keys that are all there, drawn by Zipf's law.</summary>
internal static class LoadMeasurement
{
    internal const string Title = "load: three workers of ASP.NET Core, 8 connections to each, values of 1,000 characters";

    private const int Connections = 8;
    private static readonly double[] Percents = [50, 99, 99.9];

    internal static string RateOf(WebSubject subject) => $"{subject.Name}: requests/s";

    internal static IEnumerable<FlightSeries> Measure(WebEffort effort)
    {
        List<WebCell> cells = [];
        try
        {
            foreach (WebSubject subject in WebSubject.All)
            {
                cells.Add(new WebCell(subject, delayMilliseconds: 0));
                Warm(cells[^1], effort);
            }

            List<double>[] rates = [.. cells.Select(_ => new List<double>())];
            List<double>[] times = [.. cells.Select(_ => new List<double>())];
            for (int round = 0; round < effort.Rounds; round++)
            {
                for (int turn = 0; turn < cells.Count; turn++)
                {
                    int index = (round + turn) % cells.Count;
                    List<double> taken = Ask(cells[index], effort);
                    rates[index].Add(taken.Count / effort.RoundSeconds);
                    times[index].AddRange(taken);
                }
            }

            return [.. cells.SelectMany((cell, index) => SeriesOf(cell.Subject, rates[index], times[index]))];
        }
        finally
        {
            cells.ForEach(cell => cell.Dispose());
        }
    }

    private static IEnumerable<FlightSeries> SeriesOf(WebSubject subject, List<double> rates, List<double> times)
    {
        FlightSeries all = new(Title, $"{subject.Name}: an answer", "µs", times);
        return
        [
            new FlightSeries(Title, RateOf(subject), "", rates),
            .. Percents.Select(percent => new FlightSeries(
                Title, string.Create(CultureInfo.InvariantCulture, $"{subject.Name}: an answer, {percent} %"), "µs", [all.Percentile(percent)])),
        ];
    }

    /// <summary>All keys at every worker, and then some load, which is not counted.</summary>
    private static void Warm(WebCell cell, WebEffort effort)
    {
        Task.WaitAll(Enumerable.Range(0, WebCell.Workers).Select(async worker =>
        {
            using WebConnection connection = await WebConnection.OpenAsync(cell.PortOf(worker), CancellationToken.None);
            for (int key = 0; key < effort.LoadKeys; key++)
            {
                await connection.GetAsync($"/get/{key}", CancellationToken.None);
            }
        }));
        Ask(cell, effort);
    }

    private static List<double> Ask(WebCell cell, WebEffort effort)
    {
        using CancellationTokenSource end = new(TimeSpan.FromSeconds(effort.RoundSeconds));
        Task<List<double>>[] asking =
        [
            .. Enumerable.Range(0, WebCell.Workers * Connections)
                .Select(number => Task.Run(() => AskAsync(cell.PortOf(number % WebCell.Workers), number, effort.LoadKeys, end.Token))),
        ];
        Task.WaitAll(asking);
        return [.. asking.SelectMany(each => each.Result)];
    }

    private static async Task<List<double>> AskAsync(int port, int number, int keys, CancellationToken end)
    {
        List<double> times = [];
        Zipf zipf = new((uint)keys);
        ulong state = Sizes.Seed(number);
        using WebConnection connection = await WebConnection.OpenAsync(port, CancellationToken.None);
        while (!end.IsCancellationRequested)
        {
            string path = $"/get/{zipf.Next(ref state)}";
            long begun = Stopwatch.GetTimestamp();
            await connection.GetAsync(path, CancellationToken.None);
            times.Add(Stopwatch.GetElapsedTime(begun).TotalMicroseconds);
        }

        return times;
    }
}
