using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Allocation;

/// <summary>Reads and changes block words.</summary>
internal static unsafe class Blocks<TMachine>
    where TMachine : struct, IMachine
{
    internal static BlockWord Read(Attachment* heap, ulong block) => new(TMachine.Read(heap->BlockWords + block));

    internal static bool TryChange(Attachment* heap, ulong block, BlockWord from, BlockWord to) =>
        TMachine.CompareExchange(heap->BlockWords + block, to.Bits, from.Bits) == from.Bits;
}
