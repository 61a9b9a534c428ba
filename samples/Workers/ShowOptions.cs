using Workers.Serving;

namespace Workers;

/// <summary>What the user asked for.</summary>
internal sealed record ShowOptions(int Workers, int Articles, int ReadMilliseconds, int Seconds, CacheKind Cache, string Memory, bool Json);
