using System.Globalization;

namespace ShmAlloc.Benchmarks.Caches.Alone.Driving;

/// <summary>What a driver is to do: words of the form <c>name=value</c>.</summary>
internal sealed class AloneParameters(IEnumerable<string> words)
{
    private readonly Dictionary<string, string> _values = words.Select(word => word.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);

    internal string Work => _values["work"];

    internal string Path => _values["path"];

    internal string Coordination => _values["coordination"];

    internal long HeapBytes => long.Parse(_values["heap"], CultureInfo.InvariantCulture) << 20;

    internal uint Keys => uint.Parse(_values["keys"], CultureInfo.InvariantCulture);

    internal int ValueBytes => int.Parse(_values["value"], CultureInfo.InvariantCulture);

    internal bool HasDeadline => _values["deadline"] != "0";

    internal int Tags => int.Parse(_values["tags"], CultureInfo.InvariantCulture);

    internal bool IsMany => _values["many"] != "0";

    /// <summary>Which share of the calls takes no longer than what is told; null: each is not timed.</summary>
    internal double? Percent => _values.TryGetValue("percent", out string? percent) ? double.Parse(percent, CultureInfo.InvariantCulture) : null;
}
