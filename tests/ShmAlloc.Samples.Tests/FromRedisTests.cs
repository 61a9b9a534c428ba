using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using ShmAlloc.Tests.Tidy;
using ShmAlloc.TestSupport;

namespace ShmAlloc.Samples.Tests;

/// <summary>The application before and after one line is changed: it does the same.</summary>
public sealed class FromRedisTests : IDisposable
{
    private const string Redis = "/usr/bin/redis-server";

    private readonly TemporaryHeapPath _memory = new();
    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("shmalloc-home-");

    public void Dispose()
    {
        _memory.Dispose();
        _home.Delete(recursive: true);
    }

    [Fact]
    public void One_line_differs_and_the_page_of_the_sample_shows_it()
    {
        string[] before = RepositoryFiles.Lines("samples/FromRedis/Before/Program.cs");
        string[] after = RepositoryFiles.Lines("samples/FromRedis/After/Program.cs");
        Assert.Equal(before.Length, after.Length);
        (string Before, string After) changed = Assert.Single(before.Zip(after), pair => pair.First != pair.Second);
        string[] page = RepositoryFiles.Lines("samples/FromRedis/README.md");
        Assert.Contains($"-{changed.Before}", page);
        Assert.Contains($"+{changed.After}", page);
    }

    [Fact]
    public async Task After_two_workers_share_notes_and_sessions() =>
        await CheckAsync(() => WebSample.StartAsync(SampleProgram.FromRedisAfter, _home.FullName, "--SharedMemory", _memory.Value));

    [Fact]
    public async Task Before_two_workers_shared_notes_and_sessions()
    {
        Assert.SkipUnless(File.Exists(Redis), $"{Redis} is not installed.");
        int port = FreePort();
        string[] arguments = ["--bind", "127.0.0.1", "--port", $"{port}", "--save", "", "--appendonly", "no", "--dir", _home.FullName];
        using Process server = Process.Start(new ProcessStartInfo(Redis, arguments) { RedirectStandardOutput = true })!;
        try
        {
            while (await server.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line
                && !line.Contains("Ready to accept connections", StringComparison.Ordinal))
            {
                // It says what it does first.
            }

            await CheckAsync(() => WebSample.StartAsync(SampleProgram.FromRedisBefore, _home.FullName, "--Redis", $"127.0.0.1:{port}"));
        }
        finally
        {
            server.Kill();
            await server.WaitForExitAsync(TestContext.Current.CancellationToken);
        }
    }

    private static async Task CheckAsync(Func<Task<WebSample>> start)
    {
        using WebSample first = await start();
        using WebSample second = await start();
        await first.PutAsync("/notes/milk", "two litres");
        Assert.Equal("two litres", await second.GetAsync("/notes/milk"));
        await second.DeleteAsync("/notes/milk");
        Assert.Equal(HttpStatusCode.NotFound, await first.StatusOfAsync("/notes/milk"));

        (string visits, string? cookie) = await first.VisitAsync("/visits", cookie: null);
        Assert.Equal("1", visits);
        (visits, cookie) = await second.VisitAsync("/visits", cookie);
        Assert.Equal("2", visits);
        Assert.Equal("3", (await first.VisitAsync("/visits", cookie)).Answer);
    }

    private static int FreePort()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
