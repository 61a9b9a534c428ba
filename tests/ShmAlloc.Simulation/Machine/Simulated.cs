using System.Runtime.Intrinsics;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Simulation.Machine;

/// <summary>
/// The seam on simulated memory. An access of a simulated thread is a step that the scheduler decides about; outside of one (while a world is
/// set up or judged) it is plain memory.
/// </summary>
internal readonly unsafe struct Simulated : IMachine
{
    public static ulong Read(ulong* address, string file, int line)
    {
        SimulatedThread? thread = SimulatedThread.Current;
        return thread == null ? *address : thread.Read(address, file, line);
    }

    public static void ReadMany(ulong* from, ulong* to, int count, string file, int line)
    {
        for (int index = 0; index < count; index++)
        {
            to[index] = Read(from + index, file, line);
        }
    }

    public static Vector512<ulong> ReadLine(ulong* from, string file, int line)
    {
        ulong* words = stackalloc ulong[Vector512<ulong>.Count];
        ReadMany(from, words, Vector512<ulong>.Count, file, line);
        return Vector512.Load(words);
    }

    public static void Write(ulong* address, ulong value, string file, int line)
    {
        SimulatedThread? thread = SimulatedThread.Current;
        if (thread == null)
        {
            *address = value;
        }
        else
        {
            thread.Write(address, value, file, line);
        }
    }

    public static ulong CompareExchange(ulong* address, ulong value, ulong comparand, string file, int line) =>
        Interlock(StepKind.CompareExchange, address, value, comparand, file, line);

    public static void Announce(ulong* address, ulong value, string file, int line) =>
        Interlock(StepKind.Announce, address, value, 0, file, line);

    public static void Or(ulong* address, ulong bits, string file, int line) => Interlock(StepKind.Or, address, bits, 0, file, line);

    public static void And(ulong* address, ulong bits, string file, int line) => Interlock(StepKind.And, address, bits, 0, file, line);

    /// <summary>One step, so that a death can fall on it: nobody knows the memory yet, but those who are late.</summary>
    public static void Clear(byte* address, ulong lengthBytes, string file, int line)
    {
        SimulatedThread? thread = SimulatedThread.Current;
        thread?.Pause(StepKind.World, 0, file, line);
        if (thread is { Participant.IsRetired: true })
        {
            throw new ViolationException("memory is cleared that is not mapped any more");
        }

        World.Active.ClearUsers(thread, (ulong*)address, lengthBytes);
    }

    /// <summary>Word by word, so that a death or another thread may come in between. Lengths are rounded up: items of programs are made of words.</summary>
    public static void CopyIn(byte* from, byte* to, ulong lengthBytes, string file, int line)
    {
        for (ulong at = 0; at < lengthBytes; at += sizeof(ulong))
        {
            Write((ulong*)(to + at), *(ulong*)(from + at), file, line);
        }
    }

    public static void CopyOut(byte* from, byte* to, ulong lengthBytes, string file, int line)
    {
        for (ulong at = 0; at < lengthBytes; at += sizeof(ulong))
        {
            *(ulong*)(to + at) = Read((ulong*)(from + at), file, line);
        }
    }

    public static bool IsEqual(byte* shared, byte* own, ulong lengthBytes, string file, int line)
    {
        bool isEqual = true;
        for (ulong at = 0; at < lengthBytes; at += sizeof(ulong))
        {
            isEqual &= Read((ulong*)(shared + at), file, line) == *(ulong*)(own + at);
        }

        return isEqual;
    }

    /// <summary>Decides nothing, so it is no step.</summary>
    public static ulong Peek(ulong* address) => 0;

    public static void Prefetch(byte* address)
    {
    }

    public static uint Shard(Attachment* heap) => SimulatedThread.Current?.Shard ?? 0;

    public static bool TryYield(Attachment* heap, uint turn) => SimulatedThread.Current is { } thread && thread.TryYield(turn);

    /// <summary>
    /// Who sleeps while nobody else can change anything has been forgotten, unless somebody has died who was to wake it: then the time is over at some point.
    /// </summary>
    public static void WaitWhile(ulong* address, ulong value, uint mostMilliseconds)
    {
        for (uint turn = 0; Read(address, "sleep", 0) == value; turn++)
        {
            if (!TryYield(null, turn))
            {
                SimulatedThread.Current?.SleepToTheEnd(mostMilliseconds);
                return;
            }
        }
    }

    /// <summary>Who sleeps looks again by itself.</summary>
    public static void WakeAll(ulong* address)
    {
    }

    public static bool BeginProbing(Attachment* heap, out int probe)
    {
        probe = 0;
        return true;
    }

    public static void EndProbing(Attachment* heap, int probe)
    {
    }

    public static bool IsSlotHeld(Attachment* heap, int probe, int slot) => World.Active.IsHeld(heap, slot);

    public static bool TryHoldSlot(Attachment* heap, int slot) => World.Active.TryHold(heap, slot);

    public static void ReleaseSlot(Attachment* heap) => World.Active.ReleaseHeld(heap);

    public static ShmStatus BeginGrowing(Attachment* heap, out nint growth) => World.Active.BeginGrowing(heap, out growth);

    public static ShmStatus TryCommit(Attachment* heap, nint growth, ulong from, ulong to, out bool isBegun) => World.Active.TryCommit(to, out isBegun);

    public static bool TryBeginGivingBack(Attachment* heap, ref nint growth) => World.Active.TryBeginGivingBack((int)growth);

    public static void GiveBack(Attachment* heap, nint growth, ulong from) => World.Active.GiveBack(from);

    public static void EndGrowing(Attachment* heap, nint growth) => World.Active.EndGrowing((int)growth);

    public static Backing AskBacking(Attachment* heap, ulong blocks) => World.Active.AskBacking(heap, blocks);

    public static bool TryPunch(Attachment* heap, ulong from, ulong to) => World.Active.TryPunch(from, to);

    public static ShmStatus TryFill(Attachment* heap, ulong from, ulong to) => World.Active.TryFill(from, to);

    public static ulong TickMilliseconds() => SimulatedThread.Current?.Slept ?? 0;

    public static void Retire(Attachment* heap) => World.Active.Retire(heap);

    /// <summary>What an interlocked operation makes of a word.</summary>
    internal static ulong Apply(StepKind kind, ulong was, ulong operand, ulong comparand) => kind switch
    {
        StepKind.CompareExchange => was == comparand ? operand : was,
        StepKind.Announce => operand,
        StepKind.Or => was | operand,
        StepKind.And => was & operand,
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };

    private static ulong Interlock(StepKind kind, ulong* address, ulong operand, ulong comparand, string file, int line)
    {
        SimulatedThread? thread = SimulatedThread.Current;
        if (thread != null)
        {
            return thread.Interlock(kind, address, operand, comparand, file, line);
        }

        ulong was = *address;
        *address = Apply(kind, was, operand, comparand);
        return was;
    }
}
