using System.Runtime.InteropServices;
using ShmAlloc.Benchmarks.Caches.Driving;

namespace ShmAlloc.Benchmarks.Caches.Subjects;

/// <summary>No cache: what the loops cost, with the key brought to the processor.</summary>
internal sealed class EmptyLoopSubject(bool wantsText) : ICache
{
    private int _seen;

    public string Version => "no cache";

    public bool WantsText { get; } = wantsText;

    public bool TryGet(Key key, Span<byte> destination, out int lengthBytes)
    {
        Touch(key);
        MemoryMarshal.Write(destination, (ulong)key.Index);
        lengthBytes = destination.Length;
        return true;
    }

    public bool Set(Key key, byte[] value)
    {
        Touch(key);
        return true;
    }

    public void Dispose()
    {
    }

    private void Touch(Key key) => _seen = WantsText ? key.Text[^1] : key.Utf8[^1];
}
