using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace ShmAlloc.Benchmarks.Tests;

/// <summary>Whether the servers end when the benchmark is ended from outside, in the middle.</summary>
public sealed partial class CacheServerTests
{
    private const int Terminate = 15;
    private const int Kill = 9;
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(15);

    [Theory]
    [InlineData("redis", Terminate)]
    [InlineData("redis", Kill)]
    [InlineData("memcached", Terminate)]
    [InlineData("memcached", Kill)]
    public async Task A_server_ends_with_the_benchmark_that_started_it(string subject, int signal)
    {
        string program = subject == "redis" ? "/usr/bin/redis-server" : "/usr/bin/memcached";
        Assert.SkipUnless(File.Exists(program), $"{program} is not installed.");
        Assert.SkipWhen(signal == Kill && !File.Exists("/usr/bin/setpriv"), "Without setpriv a server outlives a killed parent.");
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Limit);
        using Process benchmark = Process.Start(BenchmarkProgram.Start("cache", "--quick", "--subject", subject))!;
        try
        {
            using Process server = Process.GetProcessById(await ServerOfAsync(benchmark, limit.Token));
            Assert.Equal(0, Send(benchmark.Id, signal));
            await benchmark.WaitForExitAsync(limit.Token);
            await server.WaitForExitAsync(limit.Token);
            if (signal == Terminate)
            {
                Assert.Empty(BenchmarkProgram.FilesOf(benchmark.Id));
            }
        }
        finally
        {
            if (!benchmark.HasExited)
            {
                benchmark.Kill(entireProcessTree: true);
            }

            foreach (string file in BenchmarkProgram.FilesOf(benchmark.Id))
            {
                File.Delete(file);
            }
        }
    }

    private static async Task<int> ServerOfAsync(Process benchmark, CancellationToken cancellation)
    {
        const string announcement = "the server is process ";
        while (await benchmark.StandardError.ReadLineAsync(cancellation) is { } line)
        {
            int position = line.IndexOf(announcement, StringComparison.Ordinal);
            if (position >= 0)
            {
                return int.Parse(line[(position + announcement.Length)..], CultureInfo.InvariantCulture);
            }
        }

        throw new InvalidOperationException("The benchmark ended before it started a server.");
    }

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Send(int process, int signal);
}
