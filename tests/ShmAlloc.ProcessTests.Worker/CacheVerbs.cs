using System.Text;
using ShmAlloc.Caching;

namespace ShmAlloc.ProcessTests.Worker;

/// <summary>The heap's default cache: one key of it, or many callers.</summary>
internal static class CacheVerbs
{
    internal static readonly Dictionary<string, HeapCommand.Verb> All = new(StringComparer.Ordinal)
    {
        ["open-cache"] = (session, _) => $"opened {(session.Cache = SharedCache.Open(session.Heap)).Name}",
        ["lead"] = (session, words) => Lead(session, words[0]),
        ["set-and-get"] = (session, words) => SetAndGet(session, words[0], words[1]),
        ["set-many"] = (session, words) => SetMany(session.Cache, HeapSession.Count(words[0]), HeapSession.Count(words[1])),
        ["fly"] = Fly,
        ["fly-end"] = (session, _) => session.Flying?.End() ?? "nobody flies",
    };

    /// <summary><c>fly board keys callers seed</c>: see <see cref="Flying"/>. Goes on until <c>fly-end</c>.</summary>
    private static string Fly(HeapSession session, string[] words)
    {
        session.Flying = new Flying(session.Heap, HeapSession.Offset(words[0]), HeapSession.Count(words[1]));
        session.Flying.Begin(HeapSession.Count(words[2]), HeapSession.Count(words[3]));
        return "flying";
    }

    /// <summary>Begins to work a value out, and never ends.</summary>
    private static string Lead(HeapSession session, string key)
    {
        var status = session.Cache.BeginFlight(key, out var flight);
        session.Flight = flight;
        return status == CacheStatus.Ok ? "leads" : status.ToString();
    }

    /// <summary><c>set-many count bytes</c>: values of one length, of keys that are always the same.</summary>
    /// <returns>How many could not be set, and how many were dropped to make room, since the heap was made.</returns>
    private static string SetMany(SharedCache cache, int count, int bytes)
    {
        var value = new byte[bytes];
        var failed = Enumerable.Range(0, count).Count(number => cache.Set($"{number}", value) != CacheStatus.Ok);
        return $"{failed} {cache.GetStatistics().EvictionsForRoom}";
    }

    private static string SetAndGet(HeapSession session, string key, string value)
    {
        var status = session.Cache.Set(key, Encoding.UTF8.GetBytes(value));
        var got = session.Cache.Get(key);
        return status == CacheStatus.Ok && got != null && Encoding.UTF8.GetString(got) != value ? "another value" : status.ToString();
    }
}
