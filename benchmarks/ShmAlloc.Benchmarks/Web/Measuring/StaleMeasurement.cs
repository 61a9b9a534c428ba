using System.Diagnostics;
using System.Net.Sockets;
using ShmAlloc.Benchmarks.Flights.Measuring;

namespace ShmAlloc.Benchmarks.Web.Measuring;

/// <summary>Values change and are removed, by key and by tag in turns, while all workers are asked, and one after the other is killed.</summary>
internal sealed class StaleMeasurement : IDisposable
{
    internal const string Title = "removals: values change and are removed in one worker, while all are asked and one after the other is killed";

    private const int Keys = 200;
    private const int Connections = 4;
    private const int LeastBetweenDeaths = 10;
    private const int SecondsBetweenNotes = 30;

    /// <summary>Of the whole, and between two deaths.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(20);

    private readonly WebCell _cell;
    private readonly CancellationTokenSource _end = new();

    /// <summary>The revision of each key that no answer may be behind: its removal has been answered.</summary>
    private readonly long[] _removed = new long[Keys];
    private long _answers;
    private long _removals;
    private long _stale;
    private long _kills;

    private StaleMeasurement(WebSubject subject) => _cell = new WebCell(subject, delayMilliseconds: 0);

    internal static string StaleOf(WebSubject subject) => $"{subject.Name}: answers from before a removal that was answered";

    internal static string KillsOf(WebSubject subject) => $"{subject.Name}: workers killed";

    internal static IEnumerable<FlightSeries> Measure(WebEffort effort)
    {
        foreach (WebSubject subject in WebSubject.All)
        {
            using StaleMeasurement measurement = new(subject);
            measurement.Run(effort);
            yield return new FlightSeries(Title, StaleOf(subject), "", [measurement._stale]);
            yield return new FlightSeries(Title, $"{subject.Name}: answers", "", [measurement._answers]);
            yield return new FlightSeries(Title, $"{subject.Name}: removals", "", [measurement._removals]);
            yield return new FlightSeries(Title, KillsOf(subject), "", [measurement._kills]);
        }
    }

    public void Dispose()
    {
        _cell.Dispose();
        _end.Dispose();
    }

    private void Run(WebEffort effort)
    {
        Task[] asking =
        [
            .. Enumerable.Range(0, WebCell.Workers * Connections).Select(number => Task.Run(() => AskAsync(number % WebCell.Workers, new Random(number)))),
            Task.Run(RemoveAsync),
        ];
        long begun = Stopwatch.GetTimestamp();
        long told = 0;
        for (int worker = 0; !IsOver(Stopwatch.GetElapsedTime(begun), effort); worker = (worker + 1) % WebCell.Workers)
        {
            // On a machine that has much else to do, a worker takes seconds to start: between two deaths something must happen.
            long before = Interlocked.Read(ref _removals);
            Thread.Sleep(TimeSpan.FromSeconds(effort.KillSeconds));
            SpinWait.SpinUntil(() => Interlocked.Read(ref _removals) >= before + LeastBetweenDeaths, Limit);
            _cell.Replace(worker);
            _kills++;
            TellHowFar(Stopwatch.GetElapsedTime(begun), effort, ref told);
        }

        _end.Cancel();
        Task.WaitAll(asking);
    }

    /// <summary>Of ours there are to be so many that rare ones are seen.</summary>
    private int LeastAnswers(WebEffort effort) => _cell.Subject == WebSubject.Ours ? effort.OwnAnswers : effort.LeastRemovals;

    /// <summary>On a machine that has much else to do, it takes longer until enough has happened.</summary>
    private bool IsOver(TimeSpan elapsed, WebEffort effort) =>
        elapsed > Limit
        || (elapsed.TotalSeconds >= effort.StaleSeconds && Interlocked.Read(ref _removals) >= effort.LeastRemovals && Interlocked.Read(ref _answers) >= LeastAnswers(effort));

    /// <summary>A full run takes minutes.</summary>
    private void TellHowFar(TimeSpan elapsed, WebEffort effort, ref long told)
    {
        if ((long)elapsed.TotalSeconds / SecondsBetweenNotes > told)
        {
            told = (long)elapsed.TotalSeconds / SecondsBetweenNotes;
            Console.Error.WriteLine($"  {_cell.Subject.Name}: {Interlocked.Read(ref _answers):N0} of {LeastAnswers(effort):N0} answers after {elapsed.TotalSeconds:N0} s");
        }
    }

    private async Task AskAsync(int worker, Random random)
    {
        await ForAWorkerAsync(() => worker, async connection =>
        {
            int key = random.Next(Keys);
            long least = Volatile.Read(ref _removed[key]);
            long revision = await connection.GetAsync($"/get/{key}", CancellationToken.None);
            Interlocked.Increment(ref _answers);
            if (revision < least)
            {
                Interlocked.Increment(ref _stale);
            }
        });
    }

    private async Task RemoveAsync()
    {
        int key = 0;
        long revision = 0;
        bool isChanged = false;
        int attempts = 0;
        await ForAWorkerAsync(() => attempts++ % WebCell.Workers, async connection =>
        {
            // A removal whose worker was killed was not answered: another worker is told.
            revision = isChanged ? revision : _cell.Truth.Change(key);
            isChanged = true;
            await connection.GetAsync($"/{(_removals % 2 == 0 ? "remove" : "untag")}/{key}", CancellationToken.None);
            Volatile.Write(ref _removed[key], revision);
            isChanged = false;
            key = (key + 1) % Keys;
            Interlocked.Increment(ref _removals);
        }, isNewEachTime: true);
    }

    /// <summary>Does something on a connection to a worker, again and again, and on a new connection when the worker is gone.</summary>
    private async Task ForAWorkerAsync(Func<int> which, Func<WebConnection, Task> act, bool isNewEachTime = false)
    {
        WebConnection? connection = null;
        try
        {
            while (!_end.IsCancellationRequested)
            {
                try
                {
                    connection ??= await WebConnection.OpenAsync(_cell.PortOf(which()), CancellationToken.None);
                    await act(connection);
                }
                catch (SocketException)
                {
                    // The worker was killed; the next one in its place may take a second to listen.
                    connection?.Dispose();
                    connection = null;
                    await Task.Delay(10, CancellationToken.None);
                }

                if (isNewEachTime)
                {
                    connection?.Dispose();
                    connection = null;
                }
            }
        }
        finally
        {
            connection?.Dispose();
        }
    }
}
