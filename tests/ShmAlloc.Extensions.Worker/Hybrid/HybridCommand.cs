using System.Globalization;
using ShmAlloc.Histories;

namespace ShmAlloc.Extensions.Worker.Hybrid;

/// <summary>
/// <c>hybrid ours|microsofts tagged|plain heap history first-log threads start ordinal</c>: does random things to a HybridCache, and records them, until its
/// input ends.
/// </summary>
internal static class HybridCommand
{
    internal static void Run(bool isOurs, bool hasTags, string heap, string history, string[] numbers)
    {
        long[] all = [.. numbers.Select(number => long.Parse(number, CultureInfo.InvariantCulture))];
        var (firstLog, threads, start, ordinal) = (all[0], all[1], all[2], all[3]);
        using var cache = RecordedHybrid.Open(isOurs, heap);
        using var recorder = HistoryRecorder.Open(history);
        using var end = new CancellationTokenSource();
        var visitors = Enumerable.Range(0, (int)threads).Select(thread =>
        {
            HybridVisitor visitor = new(cache.Hybrid, recorder.Worker((int)firstLog + thread), (ordinal << 8) + thread, start, hasTags);
            Thread running = new(() => visitor.Run(end.Token)) { Name = $"visitor {thread}" };
            running.Start();
            return running;
        }).ToList();
        Console.WriteLine("ready");
        while (Console.ReadLine() != null)
        {
            // Nothing is said to it.
        }

        // One that was started a moment ago, on a busy machine, has read little so far.
        while (isOurs && cache.CurrentObjects() == 0)
        {
            Thread.Sleep(10);
        }

        end.Cancel();
        visitors.ForEach(visitor => visitor.Join());
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{cache.CurrentObjects()} reads of current objects"));
    }
}
