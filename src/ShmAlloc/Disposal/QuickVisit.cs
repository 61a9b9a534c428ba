using System.Runtime.CompilerServices;
using ShmAlloc.Participants;

namespace ShmAlloc.Disposal;

/// <summary>A <see cref="Visit"/> in as few instructions as possible, for the calls that take a few nanoseconds altogether.</summary>
/// <remarks>
/// During it nothing of the caller's runs, and nothing throws or waits. It has a word of its own, so it never begins inside another, and it ends no
/// heap. What it uses while its heap is disposed is left to the next call that attaches or disposes: only if the thread is preempted just then does that
/// take longer than it.
/// </remarks>
internal readonly unsafe ref struct QuickVisit
{
    private readonly Visitor* _visitor;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal QuickVisit(ShmHeap owner)
    {
        _visitor = Visitor.Current;
        Volatile.Write(ref _visitor->VisitedQuickly, owner.AttachmentName);
        Heap = owner.Attachment;
    }

    /// <summary>The attachment; that of a heap that has ended if it has.</summary>
    internal Attachment* Heap { get; }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void End(ShmHeap owner)
    {
        Volatile.Write(ref _visitor->VisitedQuickly, 0);
        GC.KeepAlive(owner);
    }
}
