using System.ComponentModel;

namespace Workers.Serving;

/// <summary>What is cached. Sealed, and nobody can change it: so each worker keeps the objects that it reads often.</summary>
/// <param name="Number">Which article.</param>
/// <param name="Revision">How often it had changed when it was read.</param>
/// <param name="ReadBy">The process that read it.</param>
[ImmutableObject(true)]
internal sealed record Article(int Number, long Revision, int ReadBy);

/// <summary>The slow service, as a worker calls it.</summary>
internal sealed class ArticleService(int port) : IDisposable
{
    private readonly HttpClient _client = new() { BaseAddress = new Uri($"http://127.0.0.1:{port}") };

    public async ValueTask<Article> ReadAsync(int number, CancellationToken cancellation) =>
        await _client.GetFromJsonAsync<Article>($"/articles/{number}?reader={Environment.ProcessId}", cancellation)
            ?? throw new InvalidOperationException($"There is no article {number}.");

    public void Dispose() => _client.Dispose();
}
