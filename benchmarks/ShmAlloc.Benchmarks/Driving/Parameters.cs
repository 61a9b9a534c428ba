using System.Globalization;

namespace ShmAlloc.Benchmarks.Driving;

/// <summary>What a driver is to do, from its command line: words of the form <c>name=value</c>, the same for the drivers in C# and in C.</summary>
internal sealed class Parameters
{
    private readonly Dictionary<string, string> _values = [];

    internal Parameters(IEnumerable<string> words)
    {
        foreach (string[] pair in words.Select(word => word.Split('=', 2)))
        {
            // The last one counts.
            _values[pair[0]] = pair[1];
        }
    }

    internal string Subject => Text("subject", "");

    internal string Pattern => Text("pattern", "pair");

    internal string Path => Text("path", "");

    internal string Coordination => Text("coordination", "");

    internal long HeapBytes => Number("heap", 0);

    internal uint Smallest => (uint)Number("smallest", 100);

    internal uint Largest => (uint)Number("largest", 100);

    /// <summary>Sizes are log-normal around this, if it is not 0.</summary>
    internal double Median => Number("median", 0);

    /// <summary>What a full heap is asked for.</summary>
    internal uint Request => (uint)Number("request", 0);

    /// <summary>Objects of each worker.</summary>
    internal int Live => (int)Number("live", 8192);

    /// <summary>How full a heap is kept.</summary>
    internal long Percent => Number("percent", 0);

    internal int Threads => (int)Number("threads", 1);

    internal int Process => (int)Number("process", 0);

    internal int Processes => (int)Number("processes", 1);

    /// <summary>Whether the first word of each object is written.</summary>
    internal bool Touch => Number("touch", 0) != 0;

    private string Text(string name, string otherwise) => _values.GetValueOrDefault(name, otherwise);

    private long Number(string name, long otherwise) =>
        _values.TryGetValue(name, out string? text) ? long.Parse(text, CultureInfo.InvariantCulture) : otherwise;
}
