using System.Runtime.InteropServices;
using ShmAlloc.Allocation;
using ShmAlloc.Layout;
using ShmAlloc.Memory.Linux;
using ShmAlloc.Participants;

namespace ShmAlloc.Tests.Support;

/// <summary>A heap in ordinary memory, without a file and without a kernel that knows who lives: for looking at single words.</summary>
internal sealed unsafe class NativeHeap : IDisposable
{
    private static readonly Dictionary<nint, NativeHeap> All = [];

    private readonly byte* _memory;
    private readonly Dictionary<int, nint> _holders = [];
    private readonly List<nint> _attachments = [];

    internal NativeHeap(int unitShift = 5, int blockShift = 12, ulong blocks = 4, uint slots = 4, ulong maximumBlocks = 0, int shards = 1)
    {
        maximumBlocks = Math.Max(blocks, maximumBlocks);
        Assert.True(Geometry.TryCreate(unitShift, blockShift, slots, 0, maximumBlocks, out var geometry));
        nuint bytes = (nuint)geometry.FileBytes(maximumBlocks);
        _memory = (byte*)NativeMemory.AlignedAlloc(bytes, (nuint)Geometry.Page);
        NativeMemory.Clear(_memory, bytes);
        Geometry = geometry;
        Blocks = blocks;
        HeaderLayout.Write((HeaderLayout*)_memory, geometry, blocks, Guid.NewGuid(), Guid.NewGuid());
        Processors = shards;
        First = Attach();
        for (ulong block = 0; block < blocks; block++)
        {
            Hints<TestMachine>.Set(First, Hints<TestMachine>.FreePlane, block);
        }
    }

    internal Geometry Geometry { get; }

    internal ulong Blocks { get; }

    /// <summary>The attachment that every heap begins with.</summary>
    internal Attachment* First { get; }

    private int Processors { get; }

    public void Dispose()
    {
        TestMachine.StopWatching();
        lock (All)
        {
            foreach (var attachment in _attachments)
            {
                All.Remove(attachment);
                var heap = (Attachment*)attachment;
                Libc.Unmap(heap, (nuint)heap->PrivateBytes);
            }
        }

        NativeMemory.AlignedFree(_memory);
    }

    internal static NativeHeap Of(Attachment* heap)
    {
        lock (All)
        {
            return All[(nint)heap];
        }
    }

    /// <summary>One more participant.</summary>
    internal Attachment* Attach()
    {
        var heap = Mapping.AllocatePrivate("none"u8, Processors);
        heap->Place(_memory, Geometry);
        heap->Blocks = Blocks;
        lock (All)
        {
            All.Add((nint)heap, this);
        }

        _attachments.Add((nint)heap);
        Joining<TestMachine>.TryJoin(heap);
        heap->ProcessId = (uint)_attachments.Count;
        return heap;
    }

    /// <summary>What a kill leaves: the words as they are, and the lock of the slot dropped.</summary>
    internal void Kill(Attachment* heap) => _holders.Remove(heap->Slot);

    internal bool IsAlive(int slot) => _holders.ContainsKey(slot);

    internal bool TryHold(Attachment* heap, int slot) => _holders.TryAdd(slot, (nint)heap);

    internal void Release(Attachment* heap) => _holders.Remove(heap->Slot);
}
