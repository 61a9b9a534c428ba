using System.Buffers;
using System.Runtime.InteropServices;

namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>Bytes that lie in no array of the runtime's.</summary>
internal sealed unsafe class ForeignMemory : MemoryManager<byte>
{
    private readonly int _length;
    private byte* _bytes;

    internal ForeignMemory(ReadOnlySpan<byte> value)
    {
        _length = value.Length;
        _bytes = (byte*)NativeMemory.Alloc((nuint)value.Length + 1);
        value.CopyTo(GetSpan());
    }

    public override Span<byte> GetSpan() => new(_bytes, _length);

    public override MemoryHandle Pin(int elementIndex = 0) => new(_bytes + elementIndex);

    public override void Unpin()
    {
    }

    protected override void Dispose(bool disposing)
    {
        NativeMemory.Free(_bytes);
        _bytes = null;
    }
}
