using System.Runtime.InteropServices;
using ShmAlloc.Allocation;
using ShmAlloc.Layout;
using ShmAlloc.Participants;

namespace ShmAlloc.Disposal;

/// <summary>
/// What a heap has for an attachment once it has given its own back: closed, without blocks, slots or cells. One for all heaps of the process.
/// </summary>
internal static unsafe class EndedAttachment
{
    internal static readonly Attachment* Address = Make();

    private static Attachment* Make()
    {
        Attachment* heap = (Attachment*)NativeMemory.AllocZeroed((nuint)sizeof(Attachment));
        heap->Header = (HeaderLayout*)NativeMemory.AllocZeroed((nuint)sizeof(HeaderLayout));
        heap->Shards = (Shard*)NativeMemory.AllocZeroed((nuint)sizeof(Shard));
        heap->Path = (byte*)heap->Header;

        // Whoever has a number needs none, and it is found before there are cells to begin at.
        heap->Shards->Number = 1;
        heap->LargestRequest = ulong.MaxValue;
        heap->Slot = -1;
        heap->Descriptor = -1;
        heap->NextTrimLook = ulong.MaxValue;
        heap->Closing = 1;
        heap->Ended = 1;
        return heap;
    }
}
