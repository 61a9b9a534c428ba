using ShmAlloc.Layout;

namespace ShmAlloc.Memory.Linux;

/// <summary>
/// Gives every page that may be touched its storage beforehand, so that a full file system is an error here and never a SIGBUS later.
/// </summary>
/// <remarks>
/// <c>fallocate</c> itself: the C library's <c>posix_fallocate</c> falls back to reading and writing every page, which would overwrite what
/// another participant stores meanwhile.
/// </remarks>
internal static unsafe class Preallocation
{
    /// <summary>Preallocates blocks <paramref name="from"/> to <paramref name="to"/> − 1 and what describes them. Harmless to repeat.</summary>
    /// <returns>0, or the error number.</returns>
    internal static int Commit(int descriptor, in Geometry geometry, ulong from, ulong to)
    {
        ulong groupsFrom = from / 64;
        ulong groupsTo = Geometry.Groups(to);
        ulong bitmapBytes = geometry.WordsPerBlock * sizeof(ulong);
        const ulong groupBytes = Geometry.Planes * sizeof(ulong);
        ulong regionAt = geometry.UserBaseAt + Geometry.Page;

        int error = from != 0 ? 0 : Range(descriptor, 0, geometry.BlockWordsAt);
        error = error != 0 ? error : Range(descriptor, geometry.BlockWordsAt + (from * sizeof(ulong)), (to - from) * sizeof(ulong));
        error = error != 0 ? error : Range(descriptor, geometry.HintsAt + (groupsFrom * groupBytes), (groupsTo - groupsFrom) * groupBytes);
        error = error != 0 ? error : Range(descriptor, geometry.BitmapsAt + (from * bitmapBytes), (to - from) * bitmapBytes);
        error = error != 0 || from != 0 ? error : Range(descriptor, geometry.UserBaseAt, Geometry.Page);
        return error != 0 ? error : Range(descriptor, regionAt + (from << geometry.BlockShift), (to - from) << geometry.BlockShift);
    }

    private static int Range(int descriptor, ulong offset, ulong length)
    {
        // Repeats only when a signal interrupted the call.
        int error;
        do
        {
            error = Libc.Allocate(descriptor, 0, (long)offset, (long)length);
        }
        while (error == Libc.Interrupted);
        return error;
    }
}
