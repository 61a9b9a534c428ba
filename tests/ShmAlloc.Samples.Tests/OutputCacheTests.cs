using System.Diagnostics;
using ShmAlloc.TestSupport;

namespace ShmAlloc.Samples.Tests;

/// <summary>Two processes of the sample are one application: they have the same pages, and what one of them evicts, none has.</summary>
public sealed class OutputCacheTests : IDisposable
{
    private readonly TemporaryHeapPath _memory = new();
    private readonly DirectoryInfo _home = Directory.CreateTempSubdirectory("shmalloc-home-");

    public void Dispose()
    {
        _memory.Dispose();
        _home.Delete(recursive: true);
    }

    [Fact]
    public async Task A_page_that_one_worker_has_rendered_the_other_answers_with_until_one_of_them_evicts_it()
    {
        using WebSample first = await StartAsync();
        using WebSample second = await StartAsync();
        await first.PutAsync("/products/7", "5 euros");
        await first.PutAsync("/products/8", "9 euros");
        string page = await first.GetAsync("/products/7");
        string other = await second.GetAsync("/products/8");
        Assert.Contains("is 5 euros (", page, StringComparison.Ordinal);
        Assert.Equal(page, await second.GetAsync("/products/7"));

        // One product, by the worker that has not rendered it.
        await second.PutAsync("/products/7", "6 euros");
        string next = await first.GetAsync("/products/7");
        Assert.Contains("is 6 euros (", next, StringComparison.Ordinal);
        Assert.Equal(next, await second.GetAsync("/products/7"));
        Assert.Equal(other, await first.GetAsync("/products/8"));

        // All of them.
        await second.DeleteAsync("/products");
        Assert.NotEqual(next, await first.GetAsync("/products/7"));
        Assert.NotEqual(other, await first.GetAsync("/products/8"));
    }

    /// <summary>The price comes out of a pipe: so the test knows when the page is being rendered, and says for how long.</summary>
    [Fact]
    public async Task A_page_whose_price_changes_while_it_is_rendered_is_not_stored()
    {
        using WebSample first = await StartAsync();
        using WebSample second = await StartAsync();
        string shop = Path.Combine(_home.FullName, "shop");
        using Process price = StartPipe(Directory.CreateDirectory(shop), "7.txt");
        try
        {
            Task<string> rendering = first.GetAsync("/products/7");
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
            limit.CancelAfter(Patience.ForAStep);
            Assert.Equal("is read", await price.StandardOutput.ReadLineAsync(limit.Token));
            await second.PutAsync("/products/7", "6 euros");
            await price.StandardInput.WriteAsync("5 euros");
            price.StandardInput.Close();
            Assert.Contains("is 5 euros (", await rendering, StringComparison.Ordinal);
        }
        finally
        {
            price.Kill();
        }

        Assert.Contains("is 6 euros (", await second.GetAsync("/products/7"), StringComparison.Ordinal);
        Assert.Contains("is 6 euros (", await first.GetAsync("/products/7"), StringComparison.Ordinal);
    }

    /// <summary>Says when somebody reads it, and then gives what it is given.</summary>
    private static Process StartPipe(DirectoryInfo directory, string name) => Process.Start(
        new ProcessStartInfo("/bin/sh", ["-c", "mkfifo \"$1\" && exec 3> \"$1\" && echo is read && exec cat >&3", "sh", Path.Combine(directory.FullName, name)])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;

    private Task<WebSample> StartAsync() => WebSample.StartAsync(
        SampleProgram.OutputCache,
        _home.FullName,
        "--SharedMemoryCache:Path",
        _memory.Value,
        "--Shop",
        Path.Combine(_home.FullName, "shop"));
}
