using System.Text;
using ShmAlloc;
using ShmAlloc.Caching;

namespace PageCache.Site;

/// <summary>
/// What the pages are made of, in a small cache of its own: the revision of each article, how often each page was rendered, and gates. They are numbers, and
/// pinned: eviction leaves them where they are. It stands for the database that a real site has.
/// </summary>
internal sealed class Articles
{
    public const int Count = 12;
    public const int OnEachPage = 3;

    private readonly SharedCache _numbers;

    private Articles(SharedCache numbers) => _numbers = numbers;

    public static Articles Open(ShmHeap heap) => new(SharedCache.Open(heap, "articles", new SharedCacheOptions { Capacity = 4096, TagSlots = 1 }));

    /// <summary>The articles that a page shows.</summary>
    public static IEnumerable<int> OnPage(int page) => Enumerable.Range(0, OnEachPage).Select(place => (page + (place * place * 2)) % Count);

    /// <summary>The tag of whatever shows an article.</summary>
    public static string TagOf(int article) => $"article {article}";

    public long Revision(int article) => Read($"revision of article {article}");

    /// <summary>Changes an article.</summary>
    /// <returns>Its revision from now on.</returns>
    public long Change(int article) => Add($"revision of article {article}");

    public long Renderings(int page) => Read($"renderings of page {page}");

    /// <summary>Says that a page is being rendered once more.</summary>
    /// <returns>The number of this rendering.</returns>
    public long CountRendering(int page) => Add($"renderings of page {page}");

    public bool IsOpen(string gate) => Read(gate) != 0;

    public void Open(string gate) => Add(gate);

    /// <summary>Removes everything.</summary>
    public void Clear() => _numbers.Clear();

    private long Read(string name)
    {
        Span<byte> number = stackalloc byte[sizeof(long)];
        return _numbers.TryGet(name, number, out int length) && length == sizeof(long) ? BitConverter.ToInt64(number) : 0;
    }

    private long Add(string name)
    {
        CacheStatus status = _numbers.Increment(Encoding.UTF8.GetBytes(name), 1, out long result, new CacheEntryOptions { Pinned = true });
        return status == CacheStatus.Ok ? result : throw new InvalidOperationException($"'{name}' could not be counted: {status}.");
    }
}
