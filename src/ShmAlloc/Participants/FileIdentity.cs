using ShmAlloc.Memory;

namespace ShmAlloc.Participants;

/// <summary>
/// Which file a heap lies in: its inode and the time at which it was made. A header that names another file is in a copy. One that was made while nobody was
/// attached is sound, and becomes a heap of its own; one of a heap in use is not: its words are from different moments.
/// </summary>
/// <remarks>
/// The slots tell which it is, if the file was copied from its beginning to its end: if all were free in the copy, nobody was attached when the copying began.
/// A heap whose processes all died looks like one in use; whoever attaches it once and leaves puts that right.
/// </remarks>
internal static unsafe class FileIdentity<TMachine>
    where TMachine : struct, IMachine
{
    /// <summary>Notes the file of a new heap.</summary>
    internal static void Write(Attachment* heap, ulong inode, ulong birth)
    {
        TMachine.Write(&heap->Header->FileInode, inode);
        TMachine.Write(&heap->Header->FileBirth, birth);
    }

    /// <summary>Whether the heap may be used in this file. A sound copy is made one of its own.</summary>
    /// <remarks>
    /// Several processes may attach a copy at once. Each writes the same two words, and takes a slot only after that; so one who sees a slot taken looks at
    /// the words again, and finds that the copy is a heap by now. Takes effect at the second word. Death before it: the copy is still one, with all
    /// slots free; after it: it is a heap of its own.
    /// </remarks>
    internal static bool TryAccept(Attachment* heap, ulong inode, ulong birth, bool allowCopy)
    {
        if (IsOf(heap, inode, birth))
        {
            return true;
        }

        if (!allowCopy && HasActiveSlot(heap) && !IsOf(heap, inode, birth))
        {
            return false;
        }

        if (!heap->ReadOnly)
        {
            Write(heap, inode, birth);
        }

        return true;
    }

    /// <summary>0: it is not known, so nothing can be said against it.</summary>
    internal static bool IsSame(ulong noted, ulong notedBirth, ulong inode, ulong birth) =>
        (noted == inode || noted == 0) && (notedBirth == birth || notedBirth == 0 || birth == 0);

    private static bool IsOf(Attachment* heap, ulong inode, ulong birth) =>
        IsSame(TMachine.Read(&heap->Header->FileInode), TMachine.Read(&heap->Header->FileBirth), inode, birth);

    private static bool HasActiveSlot(Attachment* heap)
    {
        for (int slot = 0; slot < (int)heap->Geometry.Slots; slot++)
        {
            if (Recovery<TMachine>.ReadSlot(heap, slot).IsActive)
            {
                return true;
            }
        }

        return false;
    }
}
