using System.Globalization;

namespace ShmAlloc.Benchmarks.Caches.Driving;

/// <summary>What a driver is to do: words of the form <c>name=value</c>.</summary>
internal sealed class CacheParameters(IEnumerable<string> words)
{
    private readonly Dictionary<string, string> _values = words.Select(word => word.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);

    internal string Subject => _values["subject"];

    internal uint Keys => (uint)Number("keys");

    internal int ValueBytes => (int)Number("value");

    /// <summary>Where a cache in shared memory lies.</summary>
    internal string Path => _values["path"];

    /// <summary>Where a server listens on 127.0.0.1.</summary>
    internal int Port => (int)Number("port");

    /// <summary>What all keys and values have together.</summary>
    internal long PayloadBytes => Keys * (long)(Key.Length + ValueBytes);

    private long Number(string name) => long.Parse(_values[name], CultureInfo.InvariantCulture);
}
