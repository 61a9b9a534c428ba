using ShmAlloc.Memory.Linux;
using ShmAlloc.Participants;

namespace ShmAlloc.Disposal;

/// <summary>An attachment that no new call gets, and that is given back as soon as no thread is inside a call that has it.</summary>
/// <remarks>
/// <code>
///   ShmHeap ──► attachment      its own, while calls get it
///   ShmHeap ──► EndedAttachment, list ──► attachment      retired: only calls that began before have it
///   list ──► nothing      given back, when no visitor names it: by the thread that retired it, or by the last call out
/// </code>
/// </remarks>
internal sealed unsafe class RetiredAttachment
{
    private static RetiredAttachment? _first;

    private readonly Attachment* _heap;
    private RetiredAttachment? _next;

    private RetiredAttachment(Attachment* heap) => _heap = heap;

    private bool IsVisited => Visitor.IsAnyAt((nint)_heap);

    /// <summary>Puts an attachment into the list. Its heap leads to it no more.</summary>
    internal static void Add(Attachment* heap) => Push(new RetiredAttachment(heap));

    /// <summary>Gives back what no thread is using. Waits for nobody: what is in use is left to the last call that uses it.</summary>
    /// <remarks>
    /// The fence comes after the heap was made to lead elsewhere, and before the look at the visitors. A call that began before the fence has named the
    /// attachment, and is seen; one that begins after it finds the heap ended. The last call out leaves, then looks whether its heap has ended: so it
    /// comes here, unless it had left before the look. It may find the list empty because another thread is looking through it: so that one looks at
    /// the visitors once more after it has put back what was in use.
    /// </remarks>
    internal static void GiveBackAll()
    {
        do
        {
            RetiredAttachment? batch = Interlocked.Exchange(ref _first, null);
            if (batch == null)
            {
                return;
            }

            Interlocked.MemoryBarrierProcessWide();
            while (batch != null)
            {
                RetiredAttachment retired = batch;
                batch = retired._next;
                if (retired.IsVisited)
                {
                    Push(retired);
                }
                else
                {
                    Mapping.Free(retired._heap);
                }
            }
        }
        while (IsAnyLeft());
    }

    /// <summary>Whether there is one that no thread is using any more.</summary>
    private static bool IsAnyLeft()
    {
        for (RetiredAttachment? retired = Volatile.Read(ref _first); retired != null; retired = Volatile.Read(ref retired._next))
        {
            if (!retired.IsVisited)
            {
                return true;
            }
        }

        return false;
    }

    private static void Push(RetiredAttachment retired)
    {
        RetiredAttachment? first;
        do
        {
            first = Volatile.Read(ref _first);
            Volatile.Write(ref retired._next, first);
        }
        while (Interlocked.CompareExchange(ref _first, retired, first) != first);
    }
}
