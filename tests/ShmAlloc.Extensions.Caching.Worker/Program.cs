using System.Globalization;
using ShmAlloc.Extensions.Caching.Worker;
using ShmAlloc.Histories;

// ours|microsofts tagged|plain heap history first-log threads start ordinal: does random things to a HybridCache, and records them, until its input ends.
if (args is not ["ours" or "microsofts", "tagged" or "plain", var heap, var history, .. var numbers] || numbers.Length != 4)
{
    throw new ArgumentException("ours|microsofts tagged|plain heap history first-log threads start ordinal");
}

var (firstLog, threads, start, ordinal) = (Number(0), Number(1), Number(2), Number(3));
using var cache = RecordedHybrid.Open(args[0] == "ours", heap);
using var recorder = HistoryRecorder.Open(history);
using var end = new CancellationTokenSource();
var visitors = Enumerable.Range(0, (int)threads).Select(thread =>
{
    var log = recorder.Worker((int)(firstLog + thread));
    HybridVisitor visitor = new(cache.Hybrid, log, (ordinal << 8) + thread, start, hasTags: args[1] == "tagged");
    Thread running = new(() => visitor.Run(end.Token)) { Name = $"visitor {thread}" };
    running.Start();
    return (visitor, running);
}).ToList();
Console.WriteLine("ready");
while (Console.ReadLine() != null)
{
    // Nothing is said to it: it ends with its input, also when the test was killed.
}

// One that was started a moment ago, on a busy machine, has read little so far.
while (args[0] == "ours" && cache.CurrentObjects() == 0)
{
    Thread.Sleep(10);
}

end.Cancel();
visitors.ForEach(each => each.running.Join());
Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{cache.CurrentObjects()} reads of current objects"));

long Number(int index) => long.Parse(numbers[index], CultureInfo.InvariantCulture);
