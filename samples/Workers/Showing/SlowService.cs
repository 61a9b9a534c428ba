using System.Net;
using Workers.Serving;

namespace Workers.Showing;

/// <summary>The service behind the workers, in the program that looks: slow, knows what is true, and counts how often it is asked.</summary>
internal sealed class SlowService : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly long[] _revisions;
    private readonly TimeSpan _delay;
    private Holding? _holding;
    private int _reads;

    private SlowService(int articles, TimeSpan delay)
    {
        _revisions = new long[articles];
        _delay = delay;
        WebApplicationBuilder builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0));
        _app = builder.Build();
        _app.MapGet("/articles/{number:int}", ReadAsync);
    }

    public int Port => new Uri(_app.Urls.Single()).Port;

    /// <summary>How often it was asked.</summary>
    public int Reads => Volatile.Read(ref _reads);

    public static async Task<SlowService> StartAsync(int articles, TimeSpan delay, CancellationToken cancellation)
    {
        SlowService service = new(articles, delay);
        await service._app.StartAsync(cancellation);
        return service;
    }

    /// <summary>An article changes.</summary>
    /// <returns>Its revision from now on.</returns>
    public long Change(int number) => Interlocked.Increment(ref _revisions[number]);

    public long RevisionOf(int number) => Interlocked.Read(ref _revisions[number]);

    /// <summary>The next one that asks for an article gets no answer.</summary>
    /// <returns>The process that asks, once it does.</returns>
    public Task<int> HoldNext(int number)
    {
        Holding holding = new(number);
        _holding = holding;
        return holding.Reader.Task;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private async Task<Article> ReadAsync(int number, int reader, CancellationToken cancellation)
    {
        Interlocked.Increment(ref _reads);
        long revision = RevisionOf(number);
        if (_holding is { } holding && holding.Number == number && Interlocked.CompareExchange(ref _holding, null, holding) == holding)
        {
            holding.Reader.SetResult(reader);
            await Task.Delay(Timeout.Infinite, cancellation);
        }

        await Task.Delay(_delay, cancellation);
        return new Article(number, revision, reader);
    }

    private sealed record Holding(int Number)
    {
        public TaskCompletionSource<int> Reader { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
