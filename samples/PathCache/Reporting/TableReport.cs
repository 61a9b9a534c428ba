using System.Globalization;
using PathCache.Sharing;
using PathCache.Workers;
using ShmAlloc;
using ShmAlloc.Caching;
using Spectre.Console;

namespace PathCache.Reporting;

/// <summary>The results for people, on 80 columns.</summary>
internal static class TableReport
{
    private const int ListedFailures = 20;

    public static void Write(IAnsiConsole console, DemoReport report)
    {
        if (report.Alone.Failures.Count + report.Together.Failures.Count == 0)
        {
            console.WriteLine();
            console.Write(Workers(report));
            console.WriteLine();
            WriteSpeedUp(console, report);
            WriteKill(console, report);
            console.WriteLine();
            console.Write(Heap(report));
            console.WriteLine();
        }

        WriteCheck(console, report);
    }

    private static Table Workers(DemoReport report)
    {
        Table table = new Table().Border(TableBorder.Rounded);
        table.AddColumn("Worker");
        foreach (string title in (string[])["Lookups", "Hits", "Misses", "Hits %", "Hit ns", "Miss ns", "Alone ns"])
        {
            table.AddColumn(new TableColumn(title).RightAligned());
        }

        for (int worker = 0; worker < report.Together.Scores.Count; worker++)
        {
            WorkerScore score = report.Together.Scores[worker];
            string name = report.Together.Killed?.Worker == worker ? $"[red]{worker + 1} killed[/]" : $"{worker + 1}";
            table.AddRow(Row(name, score, report.Alone.Scores[worker].MissNanoseconds));
        }

        var sum = new WorkerScore
        {
            Lookups = report.Together.Lookups,
            Hits = report.Together.Scores.Sum(score => score.Hits),
            Misses = report.Together.Scores.Sum(score => score.Misses),
        };
        table.AddEmptyRow();
        table.AddRow(Row("all", sum, 0));
        return table;
    }

    private static string[] Row(string name, in WorkerScore score, long aloneNanoseconds) =>
    [
        name,
        Count(score.Lookups),
        Count(score.Hits),
        Count(score.Misses),
        Text($"{100.0 * score.Hits / Math.Max(1, score.Lookups):0.0}"),
        Nanoseconds(score.HitNanoseconds),
        Nanoseconds(score.MissNanoseconds),
        Nanoseconds(aloneNanoseconds),
    ];

    private static void WriteSpeedUp(IAnsiConsole console, DemoReport report)
    {
        console.MarkupLine(Text($"Speed-up by sharing: [bold green]{report.SpeedUp:0.0} times[/] ({Rate(report.Together)} with it, {Rate(report.Alone)} without)."));
        if (report.Options.Workers == 1)
        {
            console.WriteLine("One worker has nobody to share with: it only pays for leaving its answers.");
        }

        string races = report.Together.Scores.Sum(score => score.LostRaces) is > 0 and var lost
            ? $" {Count(lost)} times two workers were at the same path; the slower one's answer was not needed."
            : "";
        console.MarkupLine(
            "[grey]A hit is an answer that another worker had left; a miss was worked out and left for all; \"alone\" is the walk without sharing. Times are medians."
            + $"{races} Measured in this run: as many fresh processes, the same orders, the page cache warmed before both, from the common start to the last answer.[/]");
        if (report.NoRoom + report.Evictions > 0)
        {
            console.MarkupLine(
                $"[yellow]The heap was full: {Count(report.Evictions)} answers were dropped for others, {Count(report.NoRoom)} could not be left. See --heap-size.[/]");
        }
    }

    private static void WriteKill(IAnsiConsole console, DemoReport report)
    {
        if (report.Together.Killed is not { } killed)
        {
            return;
        }

        ShmStatistics statistics = report.Statistics;
        string slot = killed.Recovered > 0 ? $"{killed.Recovered} participant slot was recovered at once" : "its participant slot had been recovered by another worker already";
        string reserved = statistics.PrivateBytes > 0 ? $"{statistics.PrivateBytes} bytes that it had reserved wait for the next sweep" : "it held no reservation";
        console.WriteLine();
        console.MarkupLine(
            $"[red]Worker {killed.Worker + 1} (process {killed.ProcessId}) was killed by SIGKILL after {Count(killed.AfterLookups)} lookups[/], while {killed.OthersWorking} of the others were at work; "
            + $"they went on. Recovery: {slot}, {reserved}. What it had left is used and checked like the rest.");
    }

    private static Table Heap(DemoReport report)
    {
        ShmStatistics statistics = report.Statistics;
        ShmBlockCounts blocks = statistics.Blocks;
        CacheStatistics cache = report.Cache;
        Table table = new Table().Border(TableBorder.Rounded).AddColumn("").AddColumn("").HideHeaders();
        table.AddRow("Cache", $"{Count(cache.Entries)} of {Count(cache.Capacity)} entries, {ByteSize.Format(cache.Bytes)}");
        table.AddRow("Gets", $"{Count(cache.Hits)} hits, {Count(cache.Misses)} misses: {Text($"{100 * cache.HitRate:0.0}")} % hits");
        table.AddRow("Sets", $"{Count(cache.Sets)}; {Count(report.Evictions)} evictions");
        table.AddEmptyRow();
        table.AddRow("Heap", Markup.Escape(report.Options.HeapPath) + (report.Options.Keep ? " (kept)" : " (removed at the end)"));
        table.AddRow("Region", $"{ByteSize.Format(statistics.CommittedBytes)} so far, grows to {ByteSize.Format(statistics.CapacityBytes)}; and {ByteSize.Format(statistics.ManagementBytes)} to manage it");
        table.AddRow("Used", $"{ByteSize.Format(statistics.UsedBytes)} in {Count(statistics.Allocations)} allocations");
        table.AddRow("Free", $"{ByteSize.Format(statistics.FreeBytes)}, the largest piece {ByteSize.Format(statistics.LargestFreeBytes)}");
        table.AddRow("Blocks", $"{Count(blocks.Open + blocks.Owned)} open, {Count(blocks.InRuns)} in runs, {Count(blocks.Free)} free");
        table.AddRow("Participants", $"{statistics.Participants} of {statistics.MaxParticipants}");
        return table;
    }

    private static void WriteCheck(IAnsiConsole console, DemoReport report)
    {
        CheckResult check = report.Check;
        console.WriteLine($"Check: {Count(check.Checked)} cached answers compared with the file system: {Count(check.Matched)} right, {Count(check.Mismatches.Count)} wrong"
            + (check.ChangedMeanwhile > 0 ? $", {Count(check.ChangedMeanwhile)} of files changed meanwhile (looked at again: their change time says so)." : "."));
        ShmVerification verification = report.Verification;
        console.WriteLine($"Verify: {Count(verification.BlocksWalked)} blocks and {Count(verification.Allocations)} allocations walked: {Count(verification.Violations.Count)} violations.");
        foreach (string failure in report.Failures.Take(ListedFailures))
        {
            console.MarkupLine($"[red]{Markup.Escape(failure)}[/]");
        }

        if (report.Failures.Count > ListedFailures)
        {
            console.MarkupLine($"[red]... and {Count(report.Failures.Count - ListedFailures)} more.[/]");
        }

        console.MarkupLine(report.Failures.Count == 0 ? "[bold green]All is well.[/]" : "[bold red]FAILED.[/]");
    }

    private static string Rate(PhaseResult phase) =>
        Text($"{Count(phase.Lookups)} lookups in {phase.Elapsed.TotalSeconds:0.00} s");

    private static string Nanoseconds(long nanoseconds) => nanoseconds == 0 ? "-" : Count(nanoseconds);

    private static string Count(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    private static string Text(FormattableString text) => FormattableString.Invariant(text);
}
