using System.IO.MemoryMappedFiles;
using System.Runtime.CompilerServices;
using ShmAlloc.Benchmarks.Caches.Driving;

namespace ShmAlloc.Benchmarks.Caches.Subjects;

/// <summary>
/// No cache: what memory alone costs whoever has an index, and values elsewhere. A get reads one word of an index, which says where the value is, and copies
/// that. The word's place follows from the number of the key: nothing is hashed, compared, checked or kept apart from other processes.
/// </summary>
/// <remarks>Index and values are as large as those of this library's cache, in a file in /dev/shm as well.</remarks>
internal sealed unsafe class BareReadsSubject : ICache
{
    private const int LineBytes = 64;
    private const int WordsUsedOfLine = 5;

    /// <summary>Spreads the numbers of keys, which are drawn at random, once more: a prime.</summary>
    private const ulong Spread = 2_654_435_761;

    private readonly uint _keys;
    private readonly int _valueBytes;
    private readonly int _itemBytes;
    private readonly long _indexBytes;
    private readonly MemoryMappedFile _file;
    private readonly MemoryMappedViewAccessor _view;
    private readonly byte* _base;

    internal BareReadsSubject(CacheParameters parameters)
    {
        const int header = 32;
        _keys = parameters.Keys;
        _valueBytes = parameters.ValueBytes;
        _itemBytes = (header + Key.Length + _valueBytes + header - 1) / header * header;
        _indexBytes = ((_keys / WordsUsedOfLine) + 1L) * LineBytes;
        FileStream stream = new(parameters.Path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite);
        _file = MemoryMappedFile.CreateFromFile(
            stream, null, _indexBytes + ((long)_keys * _itemBytes), MemoryMappedFileAccess.ReadWrite, HandleInheritability.None, leaveOpen: false);
        _view = _file.CreateViewAccessor();
        _view.SafeMemoryMappedViewHandle.AcquirePointer(ref _base);
    }

    public string Version => "no cache: an index and values in /dev/shm, nothing but read";

    public bool WantsText => false;

    public bool TryGet(Key key, Span<byte> destination, out int lengthBytes)
    {
        byte* value = _base + Unsafe.Read<long>(WordOf(key));
        lengthBytes = _valueBytes;
        new ReadOnlySpan<byte>(value, _valueBytes).CopyTo(destination);
        return true;
    }

    public bool Set(Key key, byte[] value)
    {
        long at = _indexBytes + (key.Index * (long)_itemBytes);
        value.CopyTo(new Span<byte>(_base + at, _valueBytes));
        Unsafe.Write(WordOf(key), at);
        return true;
    }

    public void Dispose()
    {
        _view.SafeMemoryMappedViewHandle.ReleasePointer();
        _view.Dispose();
        _file.Dispose();
    }

    private void* WordOf(Key key)
    {
        uint place = (uint)(key.Index * Spread % _keys);
        return _base + ((place / WordsUsedOfLine) * (long)LineBytes) + (place % WordsUsedOfLine * sizeof(long));
    }
}
