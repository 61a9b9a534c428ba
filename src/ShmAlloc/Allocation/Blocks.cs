using System.Runtime.CompilerServices;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Allocation;

/// <summary>Reads and changes block words. The caller's place is passed on, so that each transition is a place of its own to a simulator.</summary>
internal static unsafe class Blocks<TMachine>
    where TMachine : struct, IMachine
{
    internal static BlockWord Read(
        Attachment* heap, ulong block, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        new(TMachine.Read(heap->BlockWords + block, file, line));

    internal static bool TryChange(
        Attachment* heap, ulong block, BlockWord from, BlockWord to, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0) =>
        TMachine.CompareExchange(heap->BlockWords + block, to.Bits, from.Bits, file, line) == from.Bits;

    /// <summary>FREE, idle or not, to something else. Repeats only when another thread changed the word meanwhile and left it free.</summary>
    internal static bool TryTakeFree(
        Attachment* heap, ulong block, BlockWord to, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0)
    {
        BlockWord seen = BlockWord.Free;
        while (seen.State == BlockState.Free)
        {
            BlockWord found = new(TMachine.CompareExchange(heap->BlockWords + block, to.Bits, seen.Bits, file, line));
            if (found == seen)
            {
                return true;
            }

            seen = found;
        }

        return false;
    }
}
