using System.Runtime.InteropServices;

namespace ShmAlloc.Benchmarks.Caches.Subjects;

/// <summary>The functions of LMDB, from the library that Debian brings, with the names of <c>lmdb.h</c>.</summary>
internal static unsafe partial class LmdbNative
{
    internal const int NotFound = -30798;
    internal const uint NoSubdirectory = 0x4000;
    internal const uint NoSync = 0x10000;
    internal const uint ReadOnly = 0x20000;
    internal const uint Create = 0x40000;
    internal const uint WriteMap = 0x80000;
    internal const int OwnerReadsAndWrites = 0x180;

    private const string Library = "liblmdb.so.0";

    [LibraryImport(Library, EntryPoint = "mdb_version")]
    internal static partial byte* Version(out int major, out int minor, out int patch);

    [LibraryImport(Library, EntryPoint = "mdb_strerror")]
    internal static partial byte* Error(int code);

    [LibraryImport(Library, EntryPoint = "mdb_env_create")]
    internal static partial int CreateEnvironment(out nint environment);

    [LibraryImport(Library, EntryPoint = "mdb_env_set_mapsize")]
    internal static partial int SetMapSize(nint environment, nuint bytes);

    [LibraryImport(Library, EntryPoint = "mdb_env_open", StringMarshalling = StringMarshalling.Utf8)]
    internal static partial int OpenEnvironment(nint environment, string path, uint flags, int mode);

    [LibraryImport(Library, EntryPoint = "mdb_env_close")]
    internal static partial void CloseEnvironment(nint environment);

    [LibraryImport(Library, EntryPoint = "mdb_txn_begin")]
    internal static partial int Begin(nint environment, nint parent, uint flags, out nint transaction);

    [LibraryImport(Library, EntryPoint = "mdb_txn_commit")]
    internal static partial int Commit(nint transaction);

    [LibraryImport(Library, EntryPoint = "mdb_txn_abort")]
    internal static partial void Abort(nint transaction);

    [LibraryImport(Library, EntryPoint = "mdb_dbi_open")]
    internal static partial int OpenDatabase(nint transaction, byte* name, uint flags, out uint database);

    [LibraryImport(Library, EntryPoint = "mdb_get")]
    internal static partial int Get(nint transaction, uint database, Value* key, Value* data);

    [LibraryImport(Library, EntryPoint = "mdb_put")]
    internal static partial int Put(nint transaction, uint database, Value* key, Value* data, uint flags);

    /// <summary>Bytes, <c>MDB_val</c>.</summary>
    internal struct Value
    {
        internal nuint Length;
        internal byte* Bytes;
    }
}
