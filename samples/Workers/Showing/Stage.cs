using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Workers.Serving;

namespace Workers.Showing;

/// <summary>The port, the slow service and the workers. All of it is gone when this is disposed.</summary>
internal sealed class Stage : IAsyncDisposable
{
    private readonly Socket _port;
    private readonly ShowOptions _options;
    private readonly List<WorkerProcess> _workers = [];
    private int _readsBefore;

    private Stage(ShowOptions options, Socket port, SlowService service) => (_options, _port, Service) = (options, port, service);

    public SlowService Service { get; }

    public int Port => ((IPEndPoint)_port.LocalEndPoint!).Port;

    public IReadOnlyList<WorkerProcess> Workers => _workers;

    public int Articles => _options.Articles;

    public static async Task<Stage> StartAsync(ShowOptions options, CancellationToken cancellation)
    {
        SlowService service = await SlowService.StartAsync(options.Articles, TimeSpan.FromMilliseconds(options.ReadMilliseconds), cancellation);
        Stage stage = new(options, SharedPort.Bind(new IPEndPoint(IPAddress.Loopback, 0)), service);
        try
        {
            for (int number = 0; number < options.Workers; number++)
            {
                stage._workers.Add(WorkerProcess.Start(stage.SettingsOf(number)));
            }

            await Task.WhenAll(stage._workers.Select(worker => worker.WaitUntilReadyAsync(cancellation)));
            await WorkerProcess.ConnectAsync(stage._workers, stage.Port, cancellation);
            return stage;
        }
        catch
        {
            await stage.DisposeAsync();
            throw;
        }
    }

    /// <summary>Puts a new worker in the place of one that is gone.</summary>
    public async Task ReplaceAsync(WorkerProcess gone, CancellationToken cancellation)
    {
        int number = _workers.IndexOf(gone);
        gone.Dispose();
        _workers[number] = WorkerProcess.Start(SettingsOf(number));
        await _workers[number].WaitUntilReadyAsync(cancellation);
        await WorkerProcess.ConnectAsync(_workers, Port, cancellation);
    }

    /// <summary>Asks a worker for all articles, in an order of its own.</summary>
    /// <returns>How many of the answers were older than the articles were.</returns>
    public async Task<int> AskForAllAsync(WorkerProcess worker, CancellationToken cancellation)
    {
        int stale = 0;
        int[] numbers = [.. Enumerable.Range(0, Articles)];
        Random.Shared.Shuffle(numbers);
        foreach (int number in numbers)
        {
            stale += (await worker.ReadAsync(number, cancellation)).Revision < Service.RevisionOf(number) ? 1 : 0;
        }

        return stale;
    }

    /// <summary>Begins a scene.</summary>
    /// <returns>The time.</returns>
    public long Begin()
    {
        _readsBefore = Service.Reads;
        return Stopwatch.GetTimestamp();
    }

    /// <summary>Ends a scene, with what was counted since it began.</summary>
    public Scene End(string title, long begun, long asked, int needed, long stale) =>
        new(title, asked, Service.Reads - _readsBefore, needed, stale, Stopwatch.GetElapsedTime(begun).TotalMilliseconds);

    public async ValueTask DisposeAsync()
    {
        _workers.ForEach(worker => worker.Dispose());
        await Service.DisposeAsync();
        _port.Dispose();
        File.Delete(_options.Memory);
    }

    private WorkerSettings SettingsOf(int number) => new(Port, Service.Port, _options.Memory, number, _options.Workers, _options.Cache);
}
