using System.Runtime;
using ShmAlloc.Allocation;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Memory.Linux;
using ShmAlloc.Native.Process;
using ShmAlloc.Participants;

namespace ShmAlloc.Native.Exports;

/// <summary>Root words, by which processes find what they share; growth and recovery on demand.</summary>
internal static unsafe class Meeting
{
    [RuntimeExport("shm_read_root")]
    internal static ulong ReadRoot(uint index)
    {
        Attachment* heap = ProcessHeap.Find();
        if (heap == null || index >= HeaderLayout.Roots)
        {
            LastError.Fail(heap == null ? LastError.WhyNoHeap : (int)ShmStatus.InvalidOffset);
            return 0;
        }

        return Hardware.Read(&heap->Header->Root[index], "", 0);
    }

    /// <returns>Whether the word had the expected value and was stored; if not, <paramref name="expected"/> becomes what it has.</returns>
    [RuntimeExport("shm_compare_exchange_root")]
    internal static bool CompareExchangeRoot(uint index, ulong* expected, ulong value)
    {
        Attachment* heap = ProcessHeap.Find();
        if (heap == null || index >= HeaderLayout.Roots || expected == null)
        {
            return LastError.Fail(heap == null ? LastError.WhyNoHeap : (int)ShmStatus.InvalidOffset);
        }

        if (heap->ReadOnly)
        {
            return LastError.Fail((int)ShmStatus.ReadOnly);
        }

        ulong wanted = *expected;
        ulong was = Hardware.CompareExchange(&heap->Header->Root[index], value, wanted, "", 0);
        *expected = was;
        return was == wanted;
    }

    [RuntimeExport("shm_grow")]
    internal static bool Grow(ulong bytes)
    {
        int error = Libc.Error;
        Attachment* heap = ProcessHeap.Find();
        if (heap == null)
        {
            return LastError.FailNoHeap();
        }

        ShmStatus status = Growth<Hardware>.TryGrow(heap, Math.Max(1, heap->Geometry.BlocksFor(bytes)));
        Libc.Error = error;
        return status == ShmStatus.Ok || LastError.Fail(ErrorCode.Of(heap, status));
    }

    [RuntimeExport("shm_trim")]
    internal static ulong Trim()
    {
        int error = Libc.Error;
        Attachment* heap = ProcessHeap.Find();
        if (heap == null)
        {
            LastError.FailNoHeap();
            return 0;
        }

        ulong bytes = TrimBlocks<Hardware>.All(heap);
        Libc.Error = error;
        return bytes;
    }

    [RuntimeExport("shm_recover_dead")]
    internal static int RecoverDead()
    {
        int error = Libc.Error;
        Attachment* heap = ProcessHeap.Find();
        int recovered = heap == null ? 0 : Recovery<Hardware>.RecoverDead(heap);
        Libc.Error = error;
        return recovered;
    }
}
