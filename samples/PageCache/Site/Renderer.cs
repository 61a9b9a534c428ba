using System.Diagnostics;
using System.Security.Cryptography;
using PageCache.Workers;

namespace PageCache.Site;

/// <summary>Makes pages, slowly: the part that nobody wants to do twice.</summary>
internal sealed class Renderer(Articles articles)
{
    private static readonly TimeSpan GateLimit = TimeSpan.FromSeconds(60);

    /// <summary>Renders a page from the articles as they are now, and counts that it did.</summary>
    public byte[] Render(int number, Order order)
    {
        long rendering = articles.CountRendering(number);
        long[] revisions = [.. Site.Articles.OnPage(number).Select(articles.Revision)];
        Work(TimeSpan.FromMilliseconds(order.RenderMilliseconds));
        if (order.Gate is { } gate)
        {
            WaitFor(gate);
        }

        return new Page(number, rendering, revisions).ToBytes(order.PageBytes);
    }

    /// <summary>Real work for a processor: a hash, again and again.</summary>
    private static void Work(TimeSpan time)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < time)
        {
            SHA256.HashData(hash, hash);
        }
    }

    /// <summary>A rendering that ends when the show says so: for what must happen while somebody is at it.</summary>
    private void WaitFor(string gate)
    {
        long start = Stopwatch.GetTimestamp();
        while (!articles.IsOpen(gate))
        {
            if (Stopwatch.GetElapsedTime(start) > GateLimit)
            {
                throw new InvalidOperationException($"Nobody opened {gate}.");
            }

            Thread.Sleep(1);
        }
    }
}
