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
///             Heap      what calls use; null: look in Find                         of this process or of one it was forked from
///             Marked    0: this process was forked and has not called yet
/// </code>
/// A child inherits the mapping of the file and a copy of its parent's private memory, but not the parent's slot: its lock lies in a mapping that
/// children do not get. So the child must use neither slot, nor cells, nor tickets of its parent, whose threads it does not have. It makes a new
/// attachment of the same mapping; only what never changes is taken from the blueprint.
/// Signal handlers may come in anywhere here: whoever is first with its compare-and-swap decides, the others give back what they have made.
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
            WipedPage* page = _page;
            return page == null ? null : page->Heap;
        }
    }

    /// <summary>The attachment; in a child that was forked, one of its own. Null if there is no heap.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal static Attachment* Find()
    {
        Attachment* heap = Current;
        Attachment* blueprint = Read(ref _blueprint);
        WipedPage* page = _page;
        return heap != null || blueprint == null || page == null ? heap
            : page->Marked != 0 ? Install(page, blueprint)
            : Adopt(page, blueprint);
    }

    /// <summary>Opens the heap of this process. If several threads do so at once, one attachment is kept.</summary>
    /// <returns>0, or the code of the failure; errno is that of the system call that failed.</returns>
    internal static int Initialise(void* address, byte* file, in HeapSpecification expected, in HeapSpecification wanted, Opening opening)
    {
        if (Find() != null)
        {
            return 0;
        }

        WipedPage* page = EnsurePage();
        byte* path = file != null ? file : Settings.Path();
        int code = page == null ? ErrorCode.Of(ShmFailure.SystemCall)
            : path == null ? ErrorCode.Of(ShmFailure.NoPath)
            : address == null ? Open(page, path, expected, wanted, opening)
            : OpenFixed(page, address, path, expected, wanted, opening);
        LastError.NoteOpening(code);
        return code;
    }

    /// <summary>Leaves the heap. Calls of other threads that are under way find it closed; none of them faults.</summary>
    internal static void Leave()
    {
        Attachment* blueprint = Exchange(ref _blueprint, null);
        WipedPage* page = _page;
        Attachment* heap = page == null ? null : Exchange(ref page->Heap, null);
        if (heap == null)
        {
            // A forked child that never called: nothing but the mapping is its own.
            if (blueprint != null && page != null && page->Marked == 0)
            {
                Libc.Unmap(blueprint->Mapping, (nuint)blueprint->MappingBytes);
            }

            return;
        }

        Departure<Hardware>.Begin(heap);
        if (Threads.IsOnlyOne)
        {
            Mapping.Free(heap);
        }
    }

    private static int Open(WipedPage* page, byte* path, in HeapSpecification expected, in HeapSpecification wanted, Opening opening)
    {
        int code = Attaching.TryOpen(path, expected, wanted, opening, out Attachment* heap);
        if (code != 0)
        {
            return code;
        }

        heap->Number = NextNumber();
        page->Marked = 1;
        Attachment* first = CompareExchange(ref _blueprint, heap, null);
        Install(page, first == null ? heap : first);
        if (first != null)
        {
            Departure<Hardware>.GiveUp(heap);
            Mapping.Free(heap);
        }

        return 0;
    }

    /// <summary>
    /// At a fixed address only one thread may map, since mapping replaces what is there. The others of this process wait for it: here, and nowhere
    /// else in this library. A signal handler that interrupts the one at work is told that it is under way.
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

        HeapSpecification expectedHere = expected;
        HeapSpecification wantedHere = wanted;
        expectedHere.Address = address;
        wantedHere.Address = address;
        int code = Find() != null ? 0 : OpenAt(page, path, expectedHere, wantedHere, opening);
        Volatile.Write(ref page->Initialising, 0);
        return code;
    }

    /// <summary>The room is taken first, so that nothing else of this process, our own private memory above all, comes to lie there.</summary>
    private static int OpenAt(WipedPage* page, byte* path, in HeapSpecification expected, in HeapSpecification wanted, Opening opening)
    {
        int code = ErrorCode.Of(wanted.TryPlan(out Geometry geometry, out _).Reason);
        if (code != 0)
        {
            return code;
        }

        ulong bytes = geometry.FileBytes(geometry.MaximumBlocks);
        void* room = Libc.Map(
            wanted.Address, (nuint)bytes, 0, Libc.MapPrivate | Libc.MapAnonymous | Libc.MapNoReserve | Libc.MapFixed, -1, 0);
        if (room == Libc.MapFailed)
        {
            return ErrorCode.Of(ShmFailure.SystemCall);
        }

        code = Open(page, path, expected, wanted, opening);
        if (code != 0)
        {
            int error = Libc.Error;
            Libc.Unmap(room, (nuint)bytes);
            Libc.Error = error;
        }

        return code;
    }

    /// <summary>Makes an attachment that every thread has agreed on the one that calls use.</summary>
    private static Attachment* Install(WipedPage* page, Attachment* heap)
    {
        Attachment* present = CompareExchange(ref page->Heap, heap, null);
        return present == null ? heap : present;
    }

    /// <summary>A forked child becomes a participant of its own. <c>errno</c> stays as it was.</summary>
    private static Attachment* Adopt(WipedPage* page, Attachment* blueprint)
    {
        int error = Libc.Error;
        Attachment* adopted = AdoptOnce(page, blueprint);
        Libc.Error = error;
        return adopted;
    }

    private static Attachment* AdoptOnce(WipedPage* page, Attachment* blueprint)
    {
        Attachment* mine = Attaching.TryAdopt(blueprint);
        if (mine == null)
        {
            return null;
        }

        mine->Number = NextNumber();
        Attachment* first = Install(page, mine);
        if (first == mine)
        {
            page->Marked = 1;
            return mine;
        }

        // The mapping belongs to all of them; only the slot and the private memory are given back.
        Departure<Hardware>.GiveUp(mine);
        Libc.Unmap(mine, (nuint)mine->PrivateBytes);
        return first;
    }

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

    private static Attachment* Exchange(ref Attachment* word, Attachment* value)
    {
        fixed (Attachment** at = &word)
        {
            return (Attachment*)Interlocked.Exchange(ref *(nint*)at, (nint)value);
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
        internal int Marked;

        /// <summary>The thread that maps at a fixed address just now.</summary>
        internal int Initialising;
    }
}
