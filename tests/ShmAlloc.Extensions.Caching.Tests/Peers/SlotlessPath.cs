using ShmAlloc.Caching;

namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>
/// A file in which other processes, as it were, have made the caches and hold both of its participant slots: an application that opens it has none. (Two
/// applications of one test process would share an attachment, and with it a slot.)
/// </summary>
internal sealed class SlotlessPath : IDisposable
{
    private readonly ShmHeap _first;
    private readonly ShmHeap _second;
    private readonly Dictionary<string, SharedCache> _theirs;

    internal SlotlessPath(params string[] names)
    {
        _first = ShmHeap.Create(Path.Value, new ShmHeapOptions { SizeBytes = 16 << 20, MaxParticipants = 2 });
        _theirs = names.ToDictionary(name => name, name => SharedCache.Open(_first, name, new() { AllowsRemoveAll = true }));
        _second = ShmHeap.Attach(Path.Value);
        Assert.NotNull(_second.ParticipantSlot);
    }

    internal TemporaryHeapPath Path { get; } = new();

    /// <summary>A cache, as the other processes have it.</summary>
    internal SharedCache this[string name] => _theirs[name];

    public void Dispose()
    {
        _first.Dispose();
        _second.Dispose();
        Path.Dispose();
    }
}
