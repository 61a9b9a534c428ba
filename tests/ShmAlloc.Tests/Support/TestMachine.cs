using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Tests.Support;

/// <summary>Thrown out of an operation in place of a store: as far as the shared memory can tell, the participant was killed there.</summary>
internal sealed class KilledException : Exception;

/// <summary>
/// The seam over plain memory, for one thread at a time per test: it counts accesses, notes which words are written, and can
/// kill the caller before any of its stores.
/// </summary>
internal readonly unsafe struct TestMachine : IMachine
{
    /// <summary>The coarse clock, as the test wants it.</summary>
    [ThreadStatic]
    internal static ulong Now;

    [ThreadStatic]
    private static Witness? _witness;

    [ThreadStatic]
    private static uint _shard;

    /// <summary>What this thread's accesses are told to.</summary>
    internal static Witness Watch(int killBeforeStore = -1) => _witness = new Witness { StoresLeft = killBeforeStore };

    /// <summary>Goes on as another thread would: with a shard of its own, and watched by another witness.</summary>
    internal static void ContinueAs(uint shard, Witness? witness)
    {
        _shard = shard;
        _witness = witness;
    }

    internal static void StopWatching() => ContinueAs(0, null);

    public static ulong Read(ulong* address, string file, int line)
    {
        if (_witness != null)
        {
            _witness.Reads++;
        }

        return Volatile.Read(ref *address);
    }

    public static void ReadMany(ulong* from, ulong* to, int count, string file, int line)
    {
        for (var index = 0; index < count; index++)
        {
            to[index] = Read(from + index, file, line);
        }
    }

    public static Vector512<ulong> ReadLine(ulong* from, string file, int line) => Hardware.ReadLine(from, file, line);

    public static void Write(ulong* address, ulong value, string file, int line)
    {
        NoteStore(address);
        Volatile.Write(ref *address, value);
    }

    public static ulong CompareExchange(ulong* address, ulong value, ulong comparand, string file, int line)
    {
        NoteStore(address);
        return Interlocked.CompareExchange(ref *address, value, comparand);
    }

    public static void Announce(ulong* address, ulong value, string file, int line)
    {
        NoteStore(address);
        Interlocked.Exchange(ref *address, value);
    }

    public static void Or(ulong* address, ulong bits, string file, int line)
    {
        NoteStore(address);
        Interlocked.Or(ref *address, bits);
    }

    public static void And(ulong* address, ulong bits, string file, int line)
    {
        NoteStore(address);
        Interlocked.And(ref *address, bits);
    }

    public static void Clear(byte* address, ulong lengthBytes, string file, int line) => NativeMemory.Clear(address, (nuint)lengthBytes);

    public static void CopyIn(byte* from, byte* to, ulong lengthBytes, string file, int line) => Hardware.CopyIn(from, to, lengthBytes, file, line);

    public static void CopyOut(byte* from, byte* to, ulong lengthBytes, string file, int line) => Hardware.CopyOut(from, to, lengthBytes, file, line);

    public static bool IsEqual(byte* shared, byte* own, ulong lengthBytes, string file, int line) => Hardware.IsEqual(shared, own, lengthBytes, file, line);

    public static ulong Peek(ulong* address) => Hardware.Peek(address);

    public static void Prefetch(byte* address)
    {
    }

    public static uint Shard(Attachment* heap) => _shard != 0 ? _shard : heap->ProcessId;

    public static bool TryYield(Attachment* heap, uint turn) => Hardware.TryYield(heap, turn);

    public static void WaitWhile(ulong* address, ulong value, uint mostMilliseconds) => Hardware.WaitWhile(address, value, mostMilliseconds);

    public static void WakeAll(ulong* address) => Hardware.WakeAll(address);

    public static bool BeginProbing(Attachment* heap, out int probe)
    {
        probe = 0;
        return true;
    }

    public static void EndProbing(Attachment* heap, int probe)
    {
    }

    public static bool IsSlotHeld(Attachment* heap, int probe, int slot) => NativeHeap.Of(heap).IsAlive(slot);

    public static bool TryHoldSlot(Attachment* heap, int slot) => NativeHeap.Of(heap).TryHold(heap, slot);

    public static void ReleaseSlot(Attachment* heap) => NativeHeap.Of(heap).Release(heap);

    public static ShmStatus BeginGrowing(Attachment* heap, out nint growth)
    {
        growth = 0;
        return ShmStatus.Ok;
    }

    public static ShmStatus TryCommit(Attachment* heap, nint growth, ulong from, ulong to, out bool isBegun)
    {
        isBegun = true;
        return ShmStatus.Ok;
    }

    public static bool TryBeginGivingBack(Attachment* heap, ref nint growth) => false;

    public static void GiveBack(Attachment* heap, nint growth, ulong from)
    {
    }

    public static void EndGrowing(Attachment* heap, nint growth)
    {
    }

    public static Backing AskBacking(Attachment* heap, ulong blocks) => Backing.There;

    public static bool TryPunch(Attachment* heap, ulong from, ulong to) => true;

    public static ShmStatus TryFill(Attachment* heap, ulong from, ulong to) => ShmStatus.Ok;

    public static ulong TickMilliseconds() => Now;

    public static void Retire(Attachment* heap)
    {
    }

    private static void NoteStore(ulong* address)
    {
        if (_witness == null)
        {
            return;
        }

        if (_witness.StoresLeft == 0)
        {
            throw new KilledException();
        }

        _witness.StoresLeft--;
        _witness.Stores++;
        _witness.Written.Add((nint)address);
    }

    /// <summary>What the accesses of a thread were.</summary>
    internal sealed class Witness
    {
        internal int StoresLeft { get; set; } = -1;

        internal int Reads { get; set; }

        internal int Stores { get; set; }

        internal HashSet<nint> Written { get; } = [];
    }
}
