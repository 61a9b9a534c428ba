namespace Workers.Showing;

/// <summary>The scenes, the load, and the figures of all workers.</summary>
internal static class Show
{
    public static async Task<int> RunAsync(ShowOptions options, CancellationToken cancellation)
    {
        Report report = new(options);
        await using Stage stage = await Stage.StartAsync(options, cancellation);
        report.Begin(stage);
        foreach (Func<Stage, CancellationToken, Task<Scene>> play in Scenes.All)
        {
            report.Add(await play(stage, cancellation));
        }

        LoadResult load = await Load.RunAsync(stage, TimeSpan.FromSeconds(options.Seconds), cancellation);
        string page = await stage.Workers[0].PageAsync(cancellation);
        Dictionary<int, IReadOnlyDictionary<string, double>> figures = [];
        foreach (WorkerProcess worker in stage.Workers)
        {
            figures[worker.Id] = await worker.FiguresAsync(cancellation);
        }

        bool isPageWhole = stage.Workers.All(worker => page.Contains(FormattableString.Invariant($"process {worker.Id}"), StringComparison.Ordinal));
        return report.End(load, figures, isPageWhole) ? ExitCode.Success : ExitCode.CheckFailed;
    }
}
