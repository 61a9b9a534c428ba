using System.Diagnostics;
using System.Globalization;
using Spectre.Console;

namespace PathCache.Reporting;

/// <summary>
/// Shows how far the demo is and what came of it: bars on a terminal, plain lines otherwise. With <c>--json</c> the standard output
/// holds the results only.
/// </summary>
internal sealed class Output
{
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(2);

    private readonly IAnsiConsole _console;
    private readonly bool _json;

    private Output(IAnsiConsole console, bool json)
    {
        _console = console;
        _json = json;
    }

    private bool IsLive => _console.Profile.Capabilities.Interactive && _console.Profile.Capabilities.Ansi;

    public static Output For(DemoOptions options) =>
        new(options.Json ? AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(Console.Error) }) : AnsiConsole.Console, options.Json);

    /// <summary>A line of its own.</summary>
    public void Note(string text) => _console.WriteLine(text);

    /// <summary>Runs a part of the demo and shows how far it is.</summary>
    /// <typeparam name="T">What it gives.</typeparam>
    /// <param name="title">What it is.</param>
    /// <param name="total">How much there is to do, if that is known.</param>
    /// <param name="work">Does it, and tells how much is done.</param>
    public T Stage<T>(string title, long? total, Func<Action<long>, T> work) => IsLive ? LiveStage(title, total, work) : PlainStage(title, total, work);

    public void Report(DemoReport report)
    {
        if (_json)
        {
            Console.WriteLine(JsonReport.Write(report));
            foreach (string failure in report.Failures)
            {
                _console.WriteLine(failure);
            }
        }
        else
        {
            TableReport.Write(_console, report);
        }
    }

    private T LiveStage<T>(string title, long? total, Func<Action<long>, T> work)
    {
        Progress progress = _console.Progress();
        progress.ExcludeVerticalPadding = true;
        progress.RefreshRate = TimeSpan.FromMilliseconds(100);
        return progress
            .Columns(new TaskDescriptionColumn { Alignment = Justify.Left }, new ProgressBarColumn { Width = 24 }, new PercentageColumn(), new ElapsedTimeColumn())
            .Start(context =>
            {
                ProgressTask task = context.AddTask(Markup.Escape(Shorten(title).PadRight(32)), maxValue: total ?? 1);
                task.IsIndeterminate = total == null;
                T result = work(done => task.Value = total == null ? 0 : done);
                task.IsIndeterminate = false;
                task.Value = task.MaxValue;
                return result;
            });
    }

    private T PlainStage<T>(string title, long? total, Func<Action<long>, T> work)
    {
        long start = Stopwatch.GetTimestamp();
        long lastLine = start;
        T result = work(done =>
        {
            if (Stopwatch.GetElapsedTime(lastLine) >= LineInterval)
            {
                lastLine = Stopwatch.GetTimestamp();
                string share = total > 0 ? string.Create(CultureInfo.InvariantCulture, $" ({100.0 * done / total:0} %)") : "";
                Note($"{title}: {done:N0}{share}");
            }
        });
        Note(string.Create(CultureInfo.InvariantCulture, $"{title}: done in {Stopwatch.GetElapsedTime(start).TotalSeconds:0.00} s"));
        return result;
    }

    private static string Shorten(string title) => title.Length <= 32 ? title : $"{title[..31]}…";
}
