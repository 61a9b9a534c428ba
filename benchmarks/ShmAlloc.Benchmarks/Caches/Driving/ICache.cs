namespace ShmAlloc.Benchmarks.Caches.Driving;

/// <summary>A cache that is measured, as one process sees it.</summary>
internal interface ICache : IDisposable
{
    string Version { get; }

    /// <summary>Whether it wants keys as strings; otherwise as bytes.</summary>
    bool WantsText { get; }

    /// <summary>What one thread uses: the same object, unless threads need a connection each.</summary>
    ICache ForThread() => this;

    /// <summary>Copies the value into the caller's buffer.</summary>
    bool TryGet(Key key, Span<byte> destination, out int lengthBytes);

    /// <summary>Copies a value into the cache: the caller uses the buffer again.</summary>
    bool Set(Key key, byte[] value);

    /// <summary>A set at the beginning, which is not measured and need not be done yet when it returns.</summary>
    void Load(Key key, byte[] value)
    {
        if (!Set(key, value))
        {
            throw new InvalidOperationException($"Key {key.Index} could not be set.");
        }
    }

    /// <summary>Returns when all that was loaded is there.</summary>
    void EndLoad()
    {
    }
}
