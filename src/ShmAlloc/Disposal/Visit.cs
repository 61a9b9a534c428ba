using System.Runtime.CompilerServices;
using ShmAlloc.Participants;

namespace ShmAlloc.Disposal;

/// <summary>One call that uses an attachment: from its beginning until <see cref="Dispose"/> neither mapping nor private memory is given back.</summary>
/// <remarks>
/// First the call names the attachment that its heap was made with, then it looks what the heap leads to. If it begins before that changes, the thread
/// that disposes finds the name; if not, the call uses <see cref="EndedAttachment"/>, in which every operation says that the heap is closed.
/// </remarks>
internal readonly unsafe ref struct Visit
{
    private readonly ShmHeap _owner;
    private readonly Visitor* _visitor;
    private readonly nint _before;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal Visit(ShmHeap owner)
    {
        _owner = owner;
        _visitor = Visitor.Current;
        _before = _visitor->Visited;
        Volatile.Write(ref _visitor->Visited, _before == 0 || _before == owner.AttachmentName ? owner.AttachmentName : Visitor.Several);
        Heap = owner.Attachment;
    }

    /// <summary>The attachment; that of a heap that has ended if it has.</summary>
    internal Attachment* Heap { get; }

    /// <summary>Ends the visit; the last one out of a heap that has ended gives it back.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Dispose()
    {
        if (Volatile.Read(ref Heap->Ended) != 0)
        {
            _owner.Retire(Heap);
        }

        Volatile.Write(ref _visitor->Visited, _before);
        if (_owner.Attachment != Heap)
        {
            RetiredAttachment.GiveBackAll();
        }
    }
}
