using System.Runtime.Intrinsics;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.ProcessTests.Forks;

/// <summary>The hardware, with a checkpoint before everything that others can see.</summary>
internal readonly unsafe struct Checkpointed : IMachine
{
    public static ulong Read(ulong* address, string file, int line) => Hardware.Read(address, file, line);

    public static void ReadMany(ulong* from, ulong* to, int count, string file, int line) => Hardware.ReadMany(from, to, count, file, line);

    public static Vector512<ulong> ReadLine(ulong* from, string file, int line) => Hardware.ReadLine(from, file, line);

    public static void Write(ulong* address, ulong value, string file, int line)
    {
        Checkpoints.Reach(file, line);
        Hardware.Write(address, value, file, line);
    }

    public static ulong CompareExchange(ulong* address, ulong value, ulong comparand, string file, int line)
    {
        Checkpoints.Reach(file, line);
        return Hardware.CompareExchange(address, value, comparand, file, line);
    }

    public static void Announce(ulong* address, ulong value, string file, int line)
    {
        Checkpoints.Reach(file, line);
        Hardware.Announce(address, value, file, line);
    }

    public static void Or(ulong* address, ulong bits, string file, int line)
    {
        Checkpoints.Reach(file, line);
        Hardware.Or(address, bits, file, line);
    }

    public static void And(ulong* address, ulong bits, string file, int line)
    {
        Checkpoints.Reach(file, line);
        Hardware.And(address, bits, file, line);
    }

    public static void Clear(byte* address, ulong lengthBytes, string file, int line)
    {
        Checkpoints.Reach(file, line);
        Hardware.Clear(address, lengthBytes, file, line);
    }

    public static void CopyIn(byte* from, byte* to, ulong lengthBytes, string file, int line)
    {
        Checkpoints.Reach(file, line);
        Hardware.CopyIn(from, to, lengthBytes, file, line);
    }

    public static void CopyOut(byte* from, byte* to, ulong lengthBytes, string file, int line) => Hardware.CopyOut(from, to, lengthBytes, file, line);

    public static bool IsEqual(byte* shared, byte* own, ulong lengthBytes, string file, int line) => Hardware.IsEqual(shared, own, lengthBytes, file, line);

    public static ulong Peek(ulong* address) => Hardware.Peek(address);

    public static void Prefetch(byte* address)
    {
    }

    public static uint Shard(Attachment* heap) => Hardware.Shard(heap);

    public static bool TryYield(Attachment* heap, uint turn) => Hardware.TryYield(heap, turn);

    public static void WaitWhile(ulong* address, ulong value, uint mostMilliseconds) => Hardware.WaitWhile(address, value, mostMilliseconds);

    public static void WakeAll(ulong* address) => Hardware.WakeAll(address);

    public static bool BeginProbing(Attachment* heap, out int probe) => Hardware.BeginProbing(heap, out probe);

    public static void EndProbing(Attachment* heap, int probe) => Hardware.EndProbing(heap, probe);

    public static bool IsSlotHeld(Attachment* heap, int probe, int slot) => Hardware.IsSlotHeld(heap, probe, slot);

    public static bool TryHoldSlot(Attachment* heap, int slot)
    {
        Checkpoints.Reach(nameof(TryHoldSlot), 0);
        return Hardware.TryHoldSlot(heap, slot);
    }

    public static void ReleaseSlot(Attachment* heap)
    {
        Checkpoints.Reach(nameof(ReleaseSlot), 0);
        Hardware.ReleaseSlot(heap);
    }

    public static ShmStatus BeginGrowing(Attachment* heap, out nint growth)
    {
        Checkpoints.Reach(nameof(BeginGrowing), 0);
        return Hardware.BeginGrowing(heap, out growth);
    }

    public static ShmStatus TryCommit(Attachment* heap, nint growth, ulong from, ulong to, out bool isBegun)
    {
        Checkpoints.Reach(nameof(TryCommit), 0);
        return Hardware.TryCommit(heap, growth, from, to, out isBegun);
    }

    public static bool TryBeginGivingBack(Attachment* heap, ref nint growth)
    {
        Checkpoints.Reach(nameof(TryBeginGivingBack), 0);
        return Hardware.TryBeginGivingBack(heap, ref growth);
    }

    public static void GiveBack(Attachment* heap, nint growth, ulong from)
    {
        Checkpoints.Reach(nameof(GiveBack), 0);
        Hardware.GiveBack(heap, growth, from);
    }

    public static void EndGrowing(Attachment* heap, nint growth)
    {
        Checkpoints.Reach(nameof(EndGrowing), 0);
        Hardware.EndGrowing(heap, growth);
    }

    public static Backing AskBacking(Attachment* heap, ulong blocks) => Hardware.AskBacking(heap, blocks);

    public static bool TryPunch(Attachment* heap, ulong from, ulong to)
    {
        Checkpoints.Reach(nameof(TryPunch), 0);
        return Hardware.TryPunch(heap, from, to);
    }

    public static ShmStatus TryFill(Attachment* heap, ulong from, ulong to)
    {
        Checkpoints.Reach(nameof(TryFill), 0);
        return Hardware.TryFill(heap, from, to);
    }

    public static ulong TickMilliseconds() => Hardware.TickMilliseconds();

    public static void Retire(Attachment* heap)
    {
        Checkpoints.Reach(nameof(Retire), 0);
        Hardware.Retire(heap);
    }
}
