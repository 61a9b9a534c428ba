using System.Text;
using ShmAlloc.Caching;

namespace ShmAlloc.ProcessTests.Worker;

/// <summary>One key of the heap's default cache.</summary>
internal static class CacheVerbs
{
    internal static readonly Dictionary<string, HeapCommand.Verb> All = new(StringComparer.Ordinal)
    {
        ["open-cache"] = (session, _) => $"opened {(session.Cache = SharedCache.Open(session.Heap)).Name}",
        ["lead"] = (session, words) => Lead(session, words[0]),
        ["set-and-get"] = (session, words) => SetAndGet(session, words[0], words[1]),
    };

    /// <summary>Begins to work a value out, and never ends.</summary>
    private static string Lead(HeapSession session, string key)
    {
        var status = session.Cache.TryBeginFlight(key, out var flight);
        session.Flight = flight;
        return status == CacheStatus.Ok ? "leads" : status.ToString();
    }

    private static string SetAndGet(HeapSession session, string key, string value)
    {
        var status = session.Cache.Set(key, Encoding.UTF8.GetBytes(value));
        var got = session.Cache.Get(key);
        return status == CacheStatus.Ok && got != null && Encoding.UTF8.GetString(got) != value ? "another value" : status.ToString();
    }
}
