using System.Text;
using ShmAlloc.Caching;

namespace ShmAlloc.ProcessTests.Worker;

/// <summary>Crowds of threads. Each verb answers with the line of a <see cref="Crowd"/>.</summary>
internal static class CrowdVerbs
{
    internal static readonly Dictionary<string, HeapCommand.Verb> All = new(StringComparer.Ordinal)
    {
        ["mix"] = Mix,
        ["calloc-beside-malloc"] = CallocBesideMalloc,
        ["set-values"] = SetValues,
    };

    /// <summary><c>mix exchange threads smallest largest live-bytes-per-thread calls-per-thread milliseconds seed</c>: see <see cref="Mixer"/>.</summary>
    private static string Mix(HeapSession session, string[] words)
    {
        Exchange exchange = new(session.Heap, HeapSession.Offset(words[0]));
        if (words[1..].Select(HeapSession.Count).ToArray() is not [var threads, var smallest, var largest, var live, var calls, var milliseconds, var seed])
        {
            throw new ArgumentException("mix takes eight numbers.");
        }

        Crowd crowd = new();
        MixerShape shape = new(smallest, largest, live, calls, TimeSpan.FromMilliseconds(milliseconds));
        crowd.Run(threads, number => new Mixer(session.Heap, exchange, crowd, shape, (seed * 1000) + number).Run());
        return crowd.ToString();
    }

    /// <summary>
    /// <c>calloc-beside-malloc threads large-bytes small-bytes calls milliseconds</c>: so many threads ask for large memory that is cleared, and as many for small.
    /// </summary>
    private static string CallocBesideMalloc(HeapSession session, string[] words)
    {
        if (words.Select(HeapSession.Count).ToArray() is not [var threads, var large, var small, var calls, var milliseconds])
        {
            throw new ArgumentException("calloc-beside-malloc takes five numbers.");
        }

        var heap = session.Heap;
        Crowd crowd = new();
        var clearing = threads;
        crowd.Run(2 * threads, number =>
        {
            if (number >= threads)
            {
                // As long as others clear.
                while (Volatile.Read(ref clearing) != 0)
                {
                    AllocateAndFree(crowd, heap, small, cleared: false);
                }

                return;
            }

            try
            {
                var isEnough = Crowd.Enough(calls, TimeSpan.FromMilliseconds(milliseconds));
                for (var made = 0L; !isEnough(made); made++)
                {
                    AllocateAndFree(crowd, heap, large, cleared: true);
                }
            }
            finally
            {
                Interlocked.Decrement(ref clearing);
            }
        });
        return crowd.ToString();
    }

    private static void AllocateAndFree(Crowd crowd, ShmHeap heap, int bytes, bool cleared)
    {
        var status = ShmStatus.Ok;
        var offset = crowd.Time(() => cleared ? heap.Calloc(1, bytes, out status) : heap.Malloc(bytes, out status));
        if (offset.IsNull)
        {
            crowd.Fail(() => $"{(cleared ? "Calloc" : "Malloc")} of {bytes} bytes: {status}; {heap.GetStatistics()}");
        }
        else if (crowd.Time(() => heap.Free(offset)) is var freed and not ShmStatus.Ok)
        {
            crowd.Fail(() => $"Free of {bytes} bytes at {offset}: {freed}");
        }
    }

    /// <summary>
    /// <c>set-values threads bytes keys-per-thread calls-per-thread milliseconds</c>: each thread sets values of keys of its own, and gets them, in a cache that has
    /// room for all.
    /// </summary>
    private static string SetValues(HeapSession session, string[] words)
    {
        if (words.Select(HeapSession.Count).ToArray() is not [var threads, var bytes, var keys, var calls, var milliseconds])
        {
            throw new ArgumentException("set-values takes five numbers.");
        }

        var cache = SharedCache.Open(session.Heap, "crowd");
        Crowd crowd = new();
        crowd.Run(threads, number =>
        {
            var value = new byte[bytes];
            var isEnough = Crowd.Enough(calls, TimeSpan.FromMilliseconds(milliseconds));
            for (var made = 0L; !isEnough(made); made++)
            {
                var key = Encoding.UTF8.GetBytes($"{number}.{made % keys}");
                value.AsSpan().Fill((byte)made);
                if (crowd.Time(() => cache.Set(key, value)) is var status and not CacheStatus.Ok)
                {
                    crowd.Fail(() => $"Set of {bytes} bytes: {status}; {session.Heap.GetStatistics()}");
                }
                else if (cache.Get(key) is var found && (found == null || found.AsSpan().ContainsAnyExcept((byte)made)))
                {
                    crowd.Fail(() => $"what was set is {(found == null ? "not there" : "another value")}; {session.Heap.GetStatistics()}");
                }
            }
        });
        return crowd.ToString();
    }
}
