using System.Text.Json;
using ShmAlloc.Caching;
using ShmAlloc.Tool.Output;

namespace ShmAlloc.Tool.Heaps;

/// <summary>An entry that is kept after the walk has gone on.</summary>
internal sealed record EntryFacts(
    string Cache,
    byte[] Key,
    long LengthBytes,
    long TakesBytes,
    long WasteBytes,
    DateTimeOffset? Expires,
    CacheUse Use,
    CacheEntryState State,
    bool IsPinned,
    int Tags,
    int? ComputingSlot)
{
    internal static EntryFacts Of(string cache, CacheWalkEntry entry) => new(
        cache,
        entry.Key.ToArray(),
        entry.LengthBytes,
        entry.TakesBytes,
        WasteOf(entry),
        entry.Expires,
        entry.Use,
        entry.State,
        entry.IsPinned,
        entry.Tags,
        entry.ComputingSlot);

    /// <summary>What rounding takes.</summary>
    internal static long WasteOf(CacheWalkEntry entry) => entry.TakesBytes - entry.HeaderBytes - entry.Key.Length - entry.LengthBytes;

    /// <summary>The state in a word.</summary>
    internal string StateWord => this switch
    {
        { State: CacheEntryState.Live, IsPinned: true } => "pinned",
        { State: CacheEntryState.Placeholder, ComputingSlot: { } slot } => $"slot {slot} at it",
        _ => WordOf(State),
    };

    internal string UseWord => Use switch { CacheUse.New => "new", CacheUse.Cold => "cold", _ => "used" };

    internal static string WordOf(CacheEntryState state) => state switch
    {
        CacheEntryState.Live => "live",
        CacheEntryState.Stale => "stale",
        CacheEntryState.Expired => "expired",
        CacheEntryState.TagRemoved => "tag removed",
        CacheEntryState.Placeholder => "no value",
        _ => "unconfirmed",
    };

    internal void Write(Utf8JsonWriter json)
    {
        json.WriteString("cache", Cache);
        json.Bytes("key", Key);
        json.Number("lengthBytes", LengthBytes);
        json.Number("takesBytes", TakesBytes);
        json.Number("roundingBytes", WasteBytes);
        json.Moment("expires", Expires);
        json.WriteString("use", Use.ToString());
        json.WriteString("state", State.ToString());
        json.WriteBoolean("isPinned", IsPinned);
        json.WriteNumber("tags", Tags);
        if (ComputingSlot is { } slot)
        {
            json.WriteNumber("computingSlot", slot);
        }
    }
}
