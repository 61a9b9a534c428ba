using System.Text.Json;
using Microsoft.Extensions.Caching.Distributed;

namespace Workers.Serving;

/// <summary>What one worker says of itself.</summary>
internal sealed record WorkerFigures(int Process, IReadOnlyDictionary<string, double> Figures);

/// <summary>Twice a second each worker writes its figures into shared memory, and any of them shows those of all. What a dead one wrote expires.</summary>
internal sealed class FiguresBoard(
    [FromKeyedServices(FiguresBoard.Key)] IDistributedCache board, WorkerSettings settings, Figures figures) : BackgroundService
{
    public const string Key = "figures";

    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(500);
    private static readonly DistributedCacheEntryOptions ThreeSeconds = new() { AbsoluteExpirationRelativeToNow = TimeSpan.FromSeconds(3) };

    /// <summary>The figures of all workers; null where one is gone.</summary>
    public async Task<IReadOnlyList<WorkerFigures?>> ReadAllAsync()
    {
        List<WorkerFigures?> all = [];
        for (int number = 0; number < settings.Workers; number++)
        {
            byte[]? written = await board.GetAsync(NameOf(number));
            all.Add(written == null ? null : JsonSerializer.Deserialize<WorkerFigures>(written));
        }

        return all;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using PeriodicTimer timer = new(Period);
        do
        {
            byte[] written = JsonSerializer.SerializeToUtf8Bytes(new WorkerFigures(Environment.ProcessId, figures.Read()));
            await board.SetAsync(NameOf(settings.Number), written, ThreeSeconds, stoppingToken);
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private static string NameOf(int number) => $"worker {number}";
}
