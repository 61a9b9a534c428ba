using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using ShmAlloc.Benchmarks.Caches.Driving;

namespace ShmAlloc.Benchmarks.Caches.Subjects;

/// <summary>The least that a cache in one process costs: no limit, no expiry.</summary>
internal sealed class DictionarySubject : ICache
{
    private readonly ConcurrentDictionary<string, byte[]> _values = new();

    public string Version => RuntimeInformation.FrameworkDescription;

    public bool WantsText => true;

    public bool TryGet(Key key, Span<byte> destination, out int lengthBytes)
    {
        if (!_values.TryGetValue(key.Text, out byte[]? value))
        {
            lengthBytes = 0;
            return false;
        }

        lengthBytes = value.Length;
        value.CopyTo(destination);
        return true;
    }

    public bool Set(Key key, byte[] value)
    {
        _values[key.Text] = value.AsSpan().ToArray();
        return true;
    }

    public void Dispose()
    {
    }
}
