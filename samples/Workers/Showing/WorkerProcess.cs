using System.Diagnostics;
using System.Globalization;
using Workers.Serving;

namespace Workers.Showing;

/// <summary>A worker as a process of its own, and a connection to it. Disposing ends it, and no other process.</summary>
internal sealed class WorkerProcess : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(90);

    private readonly Process _process;
    private HttpClient? _client;

    private WorkerProcess(Process process) => _process = process;

    public int Id => _process.Id;

    public long StartedAt { get; } = Stopwatch.GetTimestamp();

    /// <summary>The one connection that leads to this worker.</summary>
    private HttpClient Client => _client ?? throw new InvalidOperationException($"There is no connection to process {Id} yet.");

    public static WorkerProcess Start(WorkerSettings settings)
    {
        // Through `dotnet Workers.dll` or through the program that the build makes beside it: the children come the way that we came.
        string program = Environment.ProcessPath!;
        bool isHost = Path.GetFileName(program) == "dotnet";
        string[] arguments =
        [
            .. isHost ? (string[])["exec", typeof(WorkerProcess).Assembly.Location] : [], CommandLine.WorkerCommand,
            $"{settings.Port}", $"{settings.Service}", settings.Memory, $"{settings.Number}", $"{settings.Workers}", $"{settings.Cache}",
        ];
        return new WorkerProcess(Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true })!);
    }

    public async Task WaitUntilReadyAsync(CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(Limit);
        string? line = await _process.StandardOutput.ReadLineAsync(limit.Token);
        if (line != WorkerHost.Ready)
        {
            throw new WorkerFailedException($"Process {Id} said '{line}' instead of '{WorkerHost.Ready}'.");
        }
    }

    /// <summary>Connects to the port that all listen on until there is one connection to each: which of them gets a connection, the kernel decides.</summary>
    public static async Task ConnectAsync(IReadOnlyList<WorkerProcess> workers, int port, CancellationToken cancellation)
    {
        for (long start = Stopwatch.GetTimestamp(); workers.Any(worker => worker._client == null);)
        {
            if (Stopwatch.GetElapsedTime(start) > Limit)
            {
                throw new WorkerFailedException("Some worker gets no connection of its port.");
            }

            HttpClient client = new(new SocketsHttpHandler { MaxConnectionsPerServer = 1 }) { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = Limit };
            int process = int.Parse(await client.GetStringAsync("/who", cancellation), CultureInfo.InvariantCulture);
            if (workers.FirstOrDefault(worker => worker.Id == process && worker._client == null) is { } worker)
            {
                worker._client = client;
            }
            else
            {
                client.Dispose();
            }
        }
    }

    /// <exception cref="HttpRequestException">The worker is gone.</exception>
    public async Task<Article> ReadAsync(int number, CancellationToken cancellation) =>
        await Client.GetFromJsonAsync<Article>($"/articles/{number}", cancellation) ?? throw new WorkerFailedException($"Process {Id} answered nothing.");

    /// <summary>Tells this worker that an article has changed; returns when it has answered.</summary>
    public async Task TellChangedAsync(int number, CancellationToken cancellation)
    {
        using HttpResponseMessage answer = await Client.PostAsync($"/articles/{number}/changed", content: null, cancellation);
        answer.EnsureSuccessStatusCode();
    }

    public async Task<IReadOnlyDictionary<string, double>> FiguresAsync(CancellationToken cancellation) =>
        await Client.GetFromJsonAsync<SortedDictionary<string, double>>("/figures", cancellation) ?? [];

    public Task<string> PageAsync(CancellationToken cancellation) => Client.GetStringAsync("/", cancellation);

    /// <summary>SIGKILL: the worker gets no chance to tidy up.</summary>
    public void Kill()
    {
        _process.Kill();
        _process.WaitForExit();
    }

    public void Dispose()
    {
        _client?.Dispose();
        if (!_process.HasExited)
        {
            Kill();
        }

        _process.Dispose();
    }
}

/// <summary>A worker did not do what it was told.</summary>
internal sealed class WorkerFailedException(string message) : Exception(message);
