using ShmAlloc.Allocation;
using ShmAlloc.Memory;

namespace ShmAlloc.ProcessTests.Forks;

/// <summary>OPEN → OWNED as a deed of its own: operations adopt only when their own block is full, and nobody sees whether they did.</summary>
internal static unsafe class Adoption
{
    internal static bool TryAdopt(ShmHeap heap, Random random)
    {
        var attachment = heap.Attachment;
        var block = (ulong)random.NextInt64((long)attachment->Blocks);
        return OpenBlock<Hardware>.TryAdopt(attachment, block, Blocks<Hardware>.Read(attachment, block), ShortWay<Hardware>.ShardOf(attachment));
    }
}
