using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.Arm;
using System.Runtime.Intrinsics.X86;
using ShmAlloc.Memory.Linux;
using ShmAlloc.Participants;

namespace ShmAlloc.Memory;

/// <summary>The seam on real memory and a real kernel.</summary>
internal readonly unsafe struct Hardware : IMachine
{
    private const int PausesOfSpin = 32;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Read(ulong* address, string file, int line) => Volatile.Read(ref *address);

    /// <remarks>
    /// Several words at a time: no processor of today tears the aligned words of a vector. None promises it for all of them; but what is read so
    /// gives nobody anything: claims are checked by a compare-and-swap of the word. At worst a word that changes just now looks full.
    /// </remarks>
    public static void ReadMany(ulong* from, ulong* to, int count, string file, int line)
    {
        int index = 0;
        for (; Vector256.IsHardwareAccelerated && index <= count - Vector256<ulong>.Count; index += Vector256<ulong>.Count)
        {
            Vector256.Store(Vector256.Load(from + index), to + index);
        }

        for (; index <= count - Vector128<ulong>.Count; index += Vector128<ulong>.Count)
        {
            Vector128.Store(Vector128.Load(from + index), to + index);
        }

        for (; index < count; index++)
        {
            to[index] = Volatile.Read(ref from[index]);
        }

        Volatile.ReadBarrier();
    }

    /// <remarks>As above: readers look at the one word again that they rely on, or read all of them twice.</remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<ulong> ReadLine(ulong* from, string file, int line)
    {
        Vector512<ulong> words = Vector512.Load(from);
        Volatile.ReadBarrier();
        return words;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Write(ulong* address, ulong value, string file, int line) => Volatile.Write(ref *address, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong CompareExchange(ulong* address, ulong value, ulong comparand, string file, int line) =>
        Interlocked.CompareExchange(ref *address, value, comparand);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Announce(ulong* address, ulong value, string file, int line) => Interlocked.Exchange(ref *address, value);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Or(ulong* address, ulong bits, string file, int line) => Interlocked.Or(ref *address, bits);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void And(ulong* address, ulong bits, string file, int line) => Interlocked.And(ref *address, bits);

    public static void Clear(byte* address, ulong lengthBytes, string file, int line)
    {
        if (Host.IsForeign)
        {
            Libc.Fill(address, 0, (nuint)lengthBytes);
        }
        else
        {
            NativeMemory.Clear(address, (nuint)lengthBytes);
        }
    }

    public static void CopyIn(byte* from, byte* to, ulong lengthBytes, string file, int line) => ShortMemory.Copy(from, to, lengthBytes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void CopyOut(byte* from, byte* to, ulong lengthBytes, string file, int line)
    {
        ShortMemory.Copy(from, to, lengthBytes);
        Volatile.ReadBarrier();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool IsEqual(byte* shared, byte* own, ulong lengthBytes, string file, int line)
    {
        bool isEqual = ShortMemory.IsEqual(shared, own, lengthBytes);
        Volatile.ReadBarrier();
        return isEqual;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong Peek(ulong* address) => Volatile.Read(ref *address);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Prefetch(byte* address)
    {
        if (Sse.IsSupported)
        {
            Sse.Prefetch0(address);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static uint Shard(Attachment* heap) => StackShard.Current;

    /// <remarks>
    /// At first the other one is thought to be running; then to be waiting for this processor, which it is given; then for more than that. The bound is a
    /// number of turns: on a machine that is busy each of them takes longer, because this thread is scheduled as seldom as the one that it waits for.
    /// </remarks>
    public static bool TryYield(Attachment* heap, uint turn)
    {
        const uint spins = 4;
        const uint yields = 16;
        const uint firstSleepMicroseconds = 50;
        const uint longestSleepMicroseconds = 1000;
        if (turn < spins)
        {
            Spin();
        }
        else if (turn < yields)
        {
            Libc.Yield();
        }
        else
        {
            Libc.Sleep(Math.Min(longestSleepMicroseconds, firstSleepMicroseconds * (turn - yields + 1)));
        }

        return turn < heap->MaxTurns;
    }

    // The kernel compares 32 bits: the lower half, as both architectures have it first.
    public static void WaitWhile(ulong* address, ulong value, uint mostMilliseconds) => Futex.Wait((uint*)address, (uint)value, mostMilliseconds);

    public static void WakeAll(ulong* address) => Futex.WakeAll((uint*)address);

    public static bool BeginProbing(Attachment* heap, out int probe)
    {
        probe = SlotLock.Reopen(heap);
        return probe >= 0;
    }

    public static void EndProbing(Attachment* heap, int probe) => Libc.Close(probe);

    public static bool IsSlotHeld(Attachment* heap, int probe, int slot) => FileLock.IsHeld(probe, slot);

    public static bool TryHoldSlot(Attachment* heap, int slot) => SlotLock.TryHold(heap, slot);

    public static void ReleaseSlot(Attachment* heap) => SlotLock.Release(heap);

    public static ShmStatus BeginGrowing(Attachment* heap, out nint growth) => GrowingFile.Begin(heap, out growth);

    public static ShmStatus TryCommit(Attachment* heap, nint growth, ulong from, ulong to, out bool isBegun) =>
        GrowingFile.TryCommit(heap, from, to, out isBegun);

    public static bool TryBeginGivingBack(Attachment* heap, ref nint growth) => GrowingFile.TryBeginGivingBack(heap, ref growth);

    public static void GiveBack(Attachment* heap, nint growth, ulong from) => GrowingFile.GiveBack(heap, from);

    public static void EndGrowing(Attachment* heap, nint growth) => GrowingFile.End(growth);

    public static Backing AskBacking(Attachment* heap, ulong blocks) => Mapping.AskBacking(heap, blocks);

    public static bool TryPunch(Attachment* heap, ulong from, ulong to)
    {
        // Who cannot open the file could not fill the blocks again.
        int descriptor = SlotLock.Reopen(heap);
        if (descriptor < 0)
        {
            return false;
        }

        int error = BlockStorage.Punch(descriptor, heap->Geometry, from, to);
        Libc.Close(descriptor);
        heap->KeepsStorage |= error == Libc.NotSupported;
        return error == 0;
    }

    public static ShmStatus TryFill(Attachment* heap, ulong from, ulong to)
    {
        int descriptor = SlotLock.Reopen(heap, out int error);
        if (descriptor < 0)
        {
            return CallFailure.StatusOf(error);
        }

        error = Preallocation.Refill(descriptor, heap->Geometry, from, to, Volatile.Read(ref heap->Blocks));
        Libc.Close(descriptor);
        return error == 0 ? ShmStatus.Ok : CallFailure.StatusOf(SystemCall.Fallocate, error);
    }

    public static ulong TickMilliseconds() => (ulong)Libc.TickMilliseconds();

    public static void Retire(Attachment* heap) => Mapping.Retire(heap);

    private static void Spin()
    {
        for (int pause = 0; pause < PausesOfSpin; pause++)
        {
            if (X86Base.IsSupported)
            {
                X86Base.Pause();
            }
            else if (ArmBase.IsSupported)
            {
                ArmBase.Yield();
            }
        }
    }
}
