using System.Runtime.InteropServices;
using ShmAlloc.Benchmarks.Caches.Driving;

namespace ShmAlloc.Benchmarks.Caches.Subjects;

/// <summary>
/// LMDB: a tree in a mapped file; each get is a read transaction, each set a write transaction, which is not written to a disk. Writing straight into the
/// map is its faster way.
/// </summary>
internal sealed unsafe class LmdbSubject : ICache
{
    private readonly nint _environment;
    private readonly uint _database;
    private nint _loading;

    internal LmdbSubject(CacheParameters parameters)
    {
        // Pages are half full at worst, and both old and new ones are there during a transaction. What is not used costs nothing.
        const int pageBytes = 4096;
        long mapBytes = (1L << 28) + (parameters.Keys * (long)(parameters.ValueBytes + Key.Length + 200) * 3);
        Check(LmdbNative.CreateEnvironment(out _environment));
        Check(LmdbNative.SetMapSize(_environment, (nuint)(mapBytes / pageBytes * pageBytes)));
        Check(LmdbNative.OpenEnvironment(
            _environment,
            parameters.Path,
            LmdbNative.NoSubdirectory | LmdbNative.NoSync | LmdbNative.WriteMap,
            LmdbNative.OwnerReadsAndWrites));
        nint transaction = Begin(0);
        Check(LmdbNative.OpenDatabase(transaction, null, LmdbNative.Create, out _database));
        Check(LmdbNative.Commit(transaction));
    }

    public string Version
    {
        get
        {
            LmdbNative.Version(out int major, out int minor, out int patch);
            return $"liblmdb {major}.{minor}.{patch}, called directly; NOSYNC and WRITEMAP, in /dev/shm";
        }
    }

    public bool WantsText => false;

    public bool TryGet(Key key, Span<byte> destination, out int lengthBytes)
    {
        nint transaction = Begin(LmdbNative.ReadOnly);
        fixed (byte* bytes = key.Utf8)
        {
            LmdbNative.Value name = new() { Length = (nuint)key.Utf8.Length, Bytes = bytes };
            LmdbNative.Value data = default;
            int code = LmdbNative.Get(transaction, _database, &name, &data);
            lengthBytes = (int)data.Length;
            if (code == 0)
            {
                new ReadOnlySpan<byte>(data.Bytes, lengthBytes).CopyTo(destination);
            }

            LmdbNative.Abort(transaction);
            if (code is not 0 and not LmdbNative.NotFound)
            {
                Check(code);
            }

            return code == 0;
        }
    }

    public bool Set(Key key, byte[] value)
    {
        nint transaction = Begin(0);
        Put(transaction, key, value);
        Check(LmdbNative.Commit(transaction));
        return true;
    }

    public void Load(Key key, byte[] value)
    {
        _loading = _loading == 0 ? Begin(0) : _loading;
        Put(_loading, key, value);
    }

    public void EndLoad()
    {
        Check(LmdbNative.Commit(_loading));
        _loading = 0;
    }

    public void Dispose() => LmdbNative.CloseEnvironment(_environment);

    private static void Check(int code)
    {
        if (code != 0)
        {
            throw new InvalidOperationException($"LMDB: {Marshal.PtrToStringUTF8((nint)LmdbNative.Error(code))}");
        }
    }

    private nint Begin(uint flags)
    {
        Check(LmdbNative.Begin(_environment, 0, flags, out nint transaction));
        return transaction;
    }

    private void Put(nint transaction, Key key, byte[] value)
    {
        fixed (byte* keyBytes = key.Utf8)
        fixed (byte* valueBytes = value)
        {
            LmdbNative.Value name = new() { Length = (nuint)key.Utf8.Length, Bytes = keyBytes };
            LmdbNative.Value data = new() { Length = (nuint)value.Length, Bytes = valueBytes };
            Check(LmdbNative.Put(transaction, _database, &name, &data, 0));
        }
    }
}
