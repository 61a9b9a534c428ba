using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.Json;
using PageCache.Site;
using ShmAlloc;
using ShmAlloc.Caching;

namespace PageCache.Workers;

/// <summary>A worker process: takes orders from its input, says when it begins with one, and answers what came of it.</summary>
internal sealed class WorkerRun
{
    public const string Ready = "ready";
    public const string Asking = "asking";

    private const int OrphanExitCode = 3;

    private readonly SharedCache _cache;
    private readonly Articles _articles;
    private readonly Renderer _renderer;

    private WorkerRun(ShmHeap heap)
    {
        _cache = PagesOf(heap);
        _articles = Articles.Open(heap);
        _renderer = new Renderer(_articles);
    }

    /// <summary>The cache of the pages: the same for all who say so.</summary>
    public static SharedCache PagesOf(ShmHeap heap) => SharedCache.Open(heap, "pages");

    public static int Run(string heapPath)
    {
        // Ctrl-C reaches all processes of the terminal. The parent decides what it means, and ends us; or closes our input by ending itself.
        using var ignored = PosixSignalRegistration.Create(PosixSignal.SIGINT, context => context.Cancel = true);
        using ShmHeap heap = ShmHeap.Attach(heapPath);
        var run = new WorkerRun(heap);
        using var lines = new BlockingCollection<string>();
        new Thread(() => ReadLines(lines)) { IsBackground = true }.Start();
        Console.WriteLine(Ready);
        foreach (string line in lines.GetConsumingEnumerable())
        {
            if (line.Length == 0)
            {
                break;
            }

            Console.WriteLine(Asking);
            Console.WriteLine(JsonSerializer.Serialize(run.Do(JsonSerializer.Deserialize<Order>(line)!)));
        }

        return 0;
    }

    private static void ReadLines(BlockingCollection<string> lines)
    {
        while (Console.ReadLine() is { } line)
        {
            lines.Add(line);
        }

        Environment.Exit(OrphanExitCode);
    }

    private Reply Do(Order order)
    {
        int[] pages = [.. Enumerable.Range(order.FirstPage, order.Pages)];
        Random.Shared.Shuffle(pages);
        var wrong = new List<string>();
        int rendered = 0;
        long last = 0;
        long start = Stopwatch.GetTimestamp();
        foreach (int number in pages)
        {
            long[] before = Revisions(number);
            byte[] bytes = Ask(number, order, ref rendered);
            Page? page = Page.TryRead(bytes, number);
            last = page?.Rendering ?? 0;
            if (page == null)
            {
                wrong.Add($"Page {number} is damaged.");
            }
            else if (!order.AllowStale && page.Revisions.Zip(before).Any(pair => pair.First < pair.Second))
            {
                wrong.Add($"Page {number} shows articles {string.Join(' ', page.Revisions)}; they were {string.Join(' ', before)} before it was asked for.");
            }
        }

        return new Reply(pages.Length, rendered, Stopwatch.GetElapsedTime(start).TotalMilliseconds, last, wrong);
    }

    /// <summary>The point of it all: the page, rendered at most once by all.</summary>
    private byte[] Ask(int number, Order order, ref int rendered)
    {
        int renderings = 0;
        var options = new CacheEntryOptions
        {
            Lifetime = order.LifetimeMilliseconds > 0 ? TimeSpan.FromMilliseconds(order.LifetimeMilliseconds) : null,
            StaleFor = order is { AllowStale: true, LifetimeMilliseconds: > 0 } ? TimeSpan.FromHours(1) : null,
            Tags = [.. Articles.OnPage(number).Select(Articles.TagOf)],
        };
        byte[] page = _cache.GetOrAdd(
            KeyOf(number),
            _ =>
            {
                renderings++;
                return _renderer.Render(number, order);
            },
            options,
            new CacheFlightOptions { AllowStale = order.AllowStale });
        rendered += renderings;
        return page;
    }

    public static string KeyOf(int page) => $"page {page}";

    private long[] Revisions(int page) => [.. Articles.OnPage(page).Select(_articles.Revision)];
}
