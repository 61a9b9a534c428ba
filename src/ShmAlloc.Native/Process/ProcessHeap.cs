using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Memory.Linux;
using ShmAlloc.Participants;

namespace ShmAlloc.Native.Process;

/// <summary>The one heap of this process, and how a forked child gets an attachment of its own.</summary>
/// <remarks>
/// <code>
///   _page ──► page that the kernel wipes in a forked child          _blueprint ──► attachment, ordinary private memory
///             Heap      what calls use, or null, or "left"                         of this process or of one it was forked from
///
///   Heap:   null ──────────────► attachment ◄────────────► left          in a forked child it is null again
///           no call yet  Open, Adopt           Leave, Open
/// </code>
/// One word decides: whoever changes it by its compare-and-swap opens or leaves, the others give back what they have made. It never becomes null again
/// in this process, so a thread that was about to adopt, or to open, cannot bring back what another one has left meanwhile.
/// The blueprint is for children. It follows the word: what it names is open, or says itself that it is closing. A child that reads "not closing" there
/// has the mapping, because that is said before the mapping goes.
/// A child inherits the mapping of the file and a copy of its parent's private memory, but not the parent's slot: its lock lies in a mapping that
/// children do not get. So the child must use neither slot, nor cells, nor tickets of its parent, whose threads it does not have. It makes a new
/// attachment of the same mapping; only what never changes is taken from the blueprint.
/// Signal handlers may come in anywhere here.
/// </remarks>
internal static unsafe class ProcessHeap
{
    // Written through its address, by whoever is first.
#pragma warning disable IDE0044
    private static WipedPage* _page;
#pragma warning restore IDE0044
    private static Attachment* _blueprint;
    private static ulong _lastNumber;

    /// <summary>The attachment, or null if it has to be looked for first.</summary>
    internal static Attachment* Current
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            // Both are read once: between two reads another thread may leave the heap.
            WipedPage* page = _page;
            Attachment* heap = page == null ? null : (Attachment*)Volatile.Read(ref *(nint*)&page->Heap);
            return IsHeap(heap) ? heap : null;
        }
    }

    /// <summary>What the word says when the heap was left: no address.</summary>
    private static Attachment* Left => (Attachment*)1;

    /// <summary>The attachment; in a child that was forked, one of its own. Null if there is no heap.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static Attachment* Find()
    {
        WipedPage* page = _page;
        if (page == null)
        {
            return null;
        }

        Attachment* heap = Read(ref page->Heap);
        Attachment* blueprint = Read(ref _blueprint);
        if (IsHeap(heap))
        {
            // The thread that opened it may not have come so far yet; our children shall have it, too.
            if (IsOutOfDate(blueprint))
            {
                ShowChildren(page);
            }

            return heap;
        }

        return heap == Left || IsOutOfDate(blueprint) ? null : Adopt(page, blueprint);
    }

    /// <summary>Opens the heap of this process. If several threads do so at once, one attachment is kept.</summary>
    /// <returns>0, or the code of the failure; errno is that of the system call that failed.</returns>
    internal static int Initialise(void* address, byte* file, in HeapSpecification expected, in HeapSpecification wanted, Opening opening)
    {
        if (IsOpen(Find()))
        {
            return 0;
        }

        WipedPage* page = EnsurePage();
        byte* path = file != null ? file : Settings.Path();
        int code = page == null ? ErrorCode.Of(ShmFailure.SystemCall)
            : path == null ? ErrorCode.Of(ShmFailure.NoPath)
            : address == null ? Open(page, path, default, expected, wanted, opening)
            : OpenFixed(page, address, path, expected, wanted, opening);
        LastError.NoteOpening(code);
        return code;
    }

    /// <summary>Leaves the heap. Calls of other threads that are under way find it closed; none of them faults.</summary>
    internal static void Leave()
    {
        // The blueprint first: what it named then is what we leave, or has been left already, or was inherited, and this copy of it is ours alone.
        Attachment* blueprint = Read(ref _blueprint);

        // A forked child that has not called yet leaves an attachment of its own, like everybody else.
        Attachment* heap = Find();
        if (heap != null)
        {
            // Before the word changes: so the thread that opens another heap finds that the blueprint is out of date.
            Interlocked.Exchange(ref heap->Closing, 1);
            if (blueprint != null)
            {
                Interlocked.Exchange(ref blueprint->Closing, 1);
            }

            if (CompareExchange(ref _page->Heap, Left, heap) == heap)
            {
                Leaving.Leave(heap);
            }
        }

        Leaving.FreeWhatNobodyUses();
    }

    /// <summary>A blueprint that is out of date goes with its memory.</summary>
    internal static void HideFromChildren(Attachment* heap) => CompareExchange(ref _blueprint, null, heap);

    private static int Open(
        WipedPage* page, byte* path, Room room, in HeapSpecification expected, in HeapSpecification wanted, Opening opening)
    {
        int code = Attaching.TryOpen(path, room, expected, wanted, opening, out Attachment* heap);
        if (code != 0)
        {
            return code;
        }

        heap->Number = NextNumber();
        for (Attachment* seen = Read(ref page->Heap); !IsOpen(seen);)
        {
            Attachment* found = CompareExchange(ref page->Heap, heap, seen);
            if (found == seen)
            {
                heap->Room.Settle(heap->MappingBytes);
                ShowChildren(page);
                if (IsHeap(seen))
                {
                    // Another thread had begun to leave it, and finds now that we have done so.
                    Leaving.Leave(seen);
                }

                return 0;
            }

            // Repeats only when another thread has opened or left meanwhile.
            seen = found;
        }

        Departure<Hardware>.GiveUp(heap);
        Mapping.Free(heap);
        return 0;
    }

    /// <summary>
    /// At a fixed address only one thread may map, since one that fails puts back what was there before. The others of this process wait for it: here,
    /// and nowhere else in this library. A signal handler that interrupts the one at work is told that it is under way.
    /// </summary>
    private static int OpenFixed(
        WipedPage* page, void* address, byte* path, in HeapSpecification expected, in HeapSpecification wanted, Opening opening)
    {
        const int mostYields = 1_000_000;
        int me = NativeLibc.ThreadId();
        for (int yields = 0; Interlocked.CompareExchange(ref page->Initialising, me, 0) != 0; yields++)
        {
            if (page->Initialising == me || yields == mostYields)
            {
                return ErrorCode.Initialising;
            }

            NativeLibc.Yield();
        }

        int code = IsOpen(Find()) ? 0 : OpenAt(page, address, path, expected, wanted, opening);
        Volatile.Write(ref page->Initialising, 0);
        return code;
    }

    private static int OpenAt(
        WipedPage* page, void* address, byte* path, in HeapSpecification expected, in HeapSpecification wanted, Opening opening)
    {
        int code = ErrorCode.Of(wanted.TryPlan(out Geometry geometry, out _));
        if (code != 0)
        {
            return code;
        }

        return Room.TryTake(address, geometry.FileBytes(geometry.MaximumBlocks), Leaving.Last, out Room room)
            ? Open(page, path, room, expected, wanted, opening)
            : Libc.Error == Libc.Exists ? ErrorCode.AddressInUse : ErrorCode.Of(ShmFailure.SystemCall);
    }

    /// <summary>A forked child becomes a participant of its own. <c>errno</c> stays as it was.</summary>
    private static Attachment* Adopt(WipedPage* page, Attachment* blueprint)
    {
        int error = Libc.Error;
        Attachment* mine = Attaching.TryAdopt(blueprint);
        if (mine == null)
        {
            Libc.Error = error;
            return null;
        }

        mine->Number = NextNumber();
        Attachment* first = CompareExchange(ref page->Heap, mine, null);
        if (first != null)
        {
            // The mapping belongs to the other attachment; only the slot and the private memory are given back.
            Departure<Hardware>.GiveUp(mine);
            Libc.Unmap(mine, (nuint)mine->PrivateBytes);
        }

        Libc.Error = error;
        return first == null ? mine : IsHeap(first) ? first : null;
    }

    /// <summary>Makes children find the heap of this process, which may be another one by then: so it looks again afterwards.</summary>
    private static void ShowChildren(WipedPage* page)
    {
        for (Attachment* heap = Read(ref page->Heap); IsHeap(heap); heap = Read(ref page->Heap))
        {
            Attachment* seen = Read(ref _blueprint);
            if (seen == heap || !IsOutOfDate(seen))
            {
                return;
            }

            CompareExchange(ref _blueprint, heap, seen);
        }
    }

    private static bool IsOutOfDate(Attachment* blueprint) => blueprint == null || Volatile.Read(ref blueprint->Closing) != 0;

    private static bool IsOpen(Attachment* heap) => IsHeap(heap) && Volatile.Read(ref heap->Closing) == 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsHeap(Attachment* heap) => heap > Left;

    private static WipedPage* EnsurePage()
    {
        WipedPage* page = _page;
        if (page != null)
        {
            return page;
        }

        void* memory = Libc.Map(
            null, (nuint)Geometry.Page, Libc.ProtectRead | Libc.ProtectWrite, Libc.MapPrivate | Libc.MapAnonymous, -1, 0);
        if (memory == Libc.MapFailed)
        {
            return null;
        }

        if (Libc.Advise(memory, (nuint)Geometry.Page, Libc.WipeOnFork) != 0)
        {
            Libc.Unmap(memory, (nuint)Geometry.Page);
            return null;
        }

        fixed (WipedPage** word = &_page)
        {
            if (Interlocked.CompareExchange(ref *(nint*)word, (nint)memory, 0) != 0)
            {
                Libc.Unmap(memory, (nuint)Geometry.Page);
            }
        }

        return _page;
    }

    private static ulong NextNumber() => Interlocked.Increment(ref _lastNumber);

    private static Attachment* Read(ref Attachment* word)
    {
        fixed (Attachment** at = &word)
        {
            return (Attachment*)Volatile.Read(ref *(nint*)at);
        }
    }

    private static Attachment* CompareExchange(ref Attachment* word, Attachment* value, Attachment* comparand)
    {
        fixed (Attachment** at = &word)
        {
            return (Attachment*)Interlocked.CompareExchange(ref *(nint*)at, (nint)value, (nint)comparand);
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct WipedPage
    {
        internal Attachment* Heap;

        /// <summary>The thread that maps at a fixed address just now.</summary>
        internal int Initialising;
    }
}
