using System.Diagnostics;
using System.Globalization;

namespace ShmAlloc.ProcessTests.Worker;

/// <summary>
/// Many threads that call at once, and what came of their calls: how many there were, which of them failed, and how long the longest took. The time is told and
/// never judged. Safe for all of its threads.
/// </summary>
internal sealed class Crowd
{
    private readonly object _gate = new();
    private string? _firstFailure;
    private long _calls;
    private long _failures;
    private long _longestTicks;

    /// <summary>Whether a thread has made so many calls, and the time is up as well: time makes a run longer and never shorter.</summary>
    /// <param name="calls">Calls that a thread makes at least.</param>
    /// <param name="time">How long it goes on at least.</param>
    internal static Func<long, bool> Enough(long calls, TimeSpan time)
    {
        var start = Stopwatch.GetTimestamp();
        return made => made >= calls && Stopwatch.GetElapsedTime(start) >= time;
    }

    /// <summary>Runs something on several threads, which begin together. What one of them throws counts as a failure.</summary>
    internal void Run(int threads, Action<int> body)
    {
        using Barrier barrier = new(threads);
        Thread[] all = [.. Enumerable.Range(0, threads).Select(number => new Thread(() => RunOne(barrier, () => body(number)), maxStackSize: 512 << 10))];
        Array.ForEach(all, thread => thread.Start());
        Array.ForEach(all, thread => thread.Join());
    }

    /// <summary>Makes a call, and looks at the time.</summary>
    internal T Time<T>(Func<T> call)
    {
        var start = Stopwatch.GetTimestamp();
        var result = call();
        var ticks = Stopwatch.GetTimestamp() - start;
        for (var longest = Volatile.Read(ref _longestTicks); ticks > longest; longest = Volatile.Read(ref _longestTicks))
        {
            Interlocked.CompareExchange(ref _longestTicks, ticks, longest);
        }

        Interlocked.Increment(ref _calls);
        return result;
    }

    /// <summary>Counts a call that failed; the first one is told in full.</summary>
    internal void Fail(Func<string> what)
    {
        lock (_gate)
        {
            _firstFailure ??= what().ReplaceLineEndings(" ");
            _failures++;
        }
    }

    /// <summary>One line: "well" or "failed", and the figures.</summary>
    public override string ToString()
    {
        var longest = Stopwatch.GetElapsedTime(0, _longestTicks).TotalMilliseconds;
        var figures = string.Create(CultureInfo.InvariantCulture, $"{_calls} calls, {_failures} failures, the longest call {longest:f2} ms");
        return _failures == 0 ? $"well: {figures}" : $"failed: {figures}; the first failure: {_firstFailure}";
    }

    private void RunOne(Barrier barrier, Action body)
    {
        barrier.SignalAndWait();
        try
        {
            body();
        }
        catch (Exception exception)
        {
            Fail(() => exception.ToString());
        }
    }
}
