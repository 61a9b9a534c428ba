using System.Runtime.InteropServices;
using PathCache.Files;
using ShmAlloc;

namespace PathCache.Sharing;

/// <summary>The list of paths in the heap: one allocation {count, where each path starts, bytes}, written once by the parent.</summary>
internal static class SharedPaths
{
    public static void Store(ShmHeap heap, PathList paths)
    {
        long startsBytes = sizeof(int) * (long)paths.Starts.Length;
        long lengthBytes = sizeof(int) + startsBytes + paths.Bytes.Length;
        ShmStatus status = heap.Reserve(lengthBytes, out ShmReservation reservation);
        SharedRoots.Required(reservation.Offset, status, $"the list of {paths.Count:N0} paths");
        Span<byte> room = heap.GetSpan(reservation.Offset, checked((int)lengthBytes));
        MemoryMarshal.Write(room, paths.Count);
        MemoryMarshal.AsBytes(paths.Starts).CopyTo(room[sizeof(int)..]);
        paths.Bytes.CopyTo(room[(int)(sizeof(int) + startsBytes)..]);
        heap.Publish(reservation);
        SharedRoots.Set(heap, SharedRoot.Paths, reservation.Offset);
    }

    /// <summary>Copies the list out first and checks the copy, which nobody can change any more.</summary>
    public static PathList Load(ShmHeap heap)
    {
        ShmOffset offset = SharedRoots.Find(heap, SharedRoot.Paths, sizeof(int), out long usableBytes);
        byte[] copy = heap.GetReadOnlySpan(offset, (int)Math.Min(usableBytes, int.MaxValue)).ToArray();
        int count = MemoryMarshal.Read<int>(copy);
        ReadOnlySpan<byte> rest = copy.AsSpan(sizeof(int));
        if (count < 0 || sizeof(int) * (count + 1L) > rest.Length)
        {
            throw new SharedDataException($"a list of {count} paths");
        }

        int[] starts = MemoryMarshal.Cast<byte, int>(rest)[..(count + 1)].ToArray();
        byte[] bytes = rest[(sizeof(int) * (count + 1))..].ToArray();
        for (int index = 0; index < count; index++)
        {
            // Every path has a byte at least, and the zero byte that system calls look for.
            if (starts[index] < 0 || starts[index + 1] <= starts[index] + 1 || starts[index + 1] > bytes.Length || bytes[starts[index + 1] - 1] != 0)
            {
                throw new SharedDataException($"path {index} of {count}");
            }
        }

        return new PathList(starts, bytes);
    }
}
