using PageCache.Site;
using PageCache.Workers;
using ShmAlloc;
using ShmAlloc.Caching;

namespace PageCache.Scenes;

/// <summary>What all scenes play with: the heap, what is in it, and the workers.</summary>
internal sealed class Stage : IDisposable
{
    public const int PageBytes = 8 << 10;

    private const int Attempts = 1000;
    private const long BytesBesidePages = 1 << 20;

    private readonly List<WorkerProcess> _workers = [];

    /// <summary>Makes the heap, with room for twice the pages and a little more, and starts the workers.</summary>
    public Stage(ShowOptions options, CancellationToken cancellation)
    {
        Options = options;
        Cancellation = cancellation;
        Heap = ShmHeap.Create(options.HeapPath, new ShmHeapOptions
        {
            SizeBytes = (options.Pages * PageBytes * 2L) + BytesBesidePages,
            MaxParticipants = options.Workers + 8,
        });
        try
        {
            Pages = WorkerRun.PagesOf(Heap);
            Articles = Articles.Open(Heap);
            for (int article = 0; article < Articles.Count; article++)
            {
                Articles.Change(article);
            }

            for (int worker = 0; worker < options.Workers; worker++)
            {
                _workers.Add(WorkerProcess.Start(options.HeapPath, cancellation));
            }

            _workers.ForEach(worker => worker.WaitUntilReady());
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public ShowOptions Options { get; }

    public CancellationToken Cancellation { get; }

    public ShmHeap Heap { get; }

    public SharedCache Pages { get; }

    public Articles Articles { get; }

    public IReadOnlyList<WorkerProcess> Workers => _workers;

    /// <summary>The page that has a lifetime, in the scene where it expires; no worker asks for it otherwise.</summary>
    public int FrontPage => Options.Pages;

    /// <summary>The page at which a worker is killed.</summary>
    public int FatalPage => Options.Pages + 1;

    /// <summary>The first of many pages, too many for the heap.</summary>
    public int FirstOldPage => Options.Pages + 2;

    /// <summary>An order to ask for all the usual pages.</summary>
    public Order AllPages => new(0, Options.Pages, PageBytes, Options.RenderMilliseconds);

    /// <summary>Gives an order to all workers at once, and waits for what comes of it.</summary>
    public Reply[] All(Order order)
    {
        _workers.ForEach(worker => worker.Begin(order));
        return [.. _workers.Select(worker => worker.End())];
    }

    /// <summary>Renderings of a range of pages that were begun so far, by whomever.</summary>
    public long Renderings(int first, int count) => Enumerable.Range(first, count).Sum(Articles.Renderings);

    /// <summary>Whether a page is in the cache, and has not expired.</summary>
    public bool Has(int page) => Pages.Get(WorkerRun.KeyOf(page)) != null;

    /// <summary>Looks again and again until something is so.</summary>
    public bool Until(Func<bool> isSo)
    {
        for (int attempt = 0; attempt < Attempts && !isSo(); attempt++)
        {
            Cancellation.WaitHandle.WaitOne(10);
            Cancellation.ThrowIfCancellationRequested();
        }

        return isSo();
    }

    /// <summary>A worker that was killed is none any more.</summary>
    public void Remove(WorkerProcess worker)
    {
        _workers.Remove(worker);
        worker.Dispose();
    }

    /// <summary>Lets all workers end by themselves.</summary>
    public void Leave() => _workers.ForEach(worker => worker.Leave());

    public void Dispose()
    {
        _workers.ForEach(worker => worker.Dispose());
        Heap.Dispose();

        // Only a heap of our own making comes here: Create refuses a path where there is something already.
        File.Delete(Options.HeapPath);
    }
}
