using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ShmAlloc.Disposal;

/// <summary>What one thread of this process says about itself: which attachment it is using just now. A hazard pointer.</summary>
/// <remarks>
/// Nothing is given back while a visitor names it. The thread writes its word by plain stores; the thread that gives an attachment back makes all stores
/// of the others visible first (<see cref="Interlocked.MemoryBarrierProcessWide"/>), so the fence is paid at disposal and not at each call.
/// A thread finds its visitor by the page of its stack on which the call begins, which no other thread has: a thread-static would cost as much as the
/// call itself. A visitor stays for good, and serves whatever thread has that page next; so there are as many as pages from which calls were ever made.
/// Sources: Michael, Hazard Pointers, IEEE TPDS 15(6), 2004; the asymmetric fence is that of Folly's hazard pointers and of liburcu, on membarrier(2).
/// </remarks>
[StructLayout(LayoutKind.Sequential, Size = Line)]
internal unsafe struct Visitor
{
    /// <summary>The thread uses several heaps, inside each other: a clock of the caller's that uses a heap itself. It counts as a visit of all.</summary>
    internal const nint Several = 1;

    /// <summary>Each has a cache line of its own: it is written at each call.</summary>
    private const int Line = 64;

    /// <summary>Pages of all architectures are as large, or multiples.</summary>
    private const int PageShift = 12;

    private const int TableBits = 12;
    private const ulong IndexMask = (1UL << TableBits) - 1;
    private const int MaxProbes = 8;

    private static readonly Visitor* FirstTable = MakeTable();

    /// <summary>All that were ever used, the latest first.</summary>
    private static nint _latest;

    private ulong _page;

    /// <summary>The address of the attachment that a <see cref="Visit"/> uses; 0: none.</summary>
    internal nint Visited;

    /// <summary>The address of the attachment that a <see cref="QuickVisit"/> uses; 0: none.</summary>
    internal nint VisitedQuickly;

    /// <summary>The one that was used first before this one was.</summary>
    private Visitor* _earlier;

    /// <summary>Of the first visitor of a table: the next table.</summary>
    private nint _nextTable;

    /// <summary>That of the calling thread, for a call that begins in the caller's frame.</summary>
    internal static Visitor* Current
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get
        {
            byte here;
            ulong page = (ulong)&here >> PageShift;
            Visitor* visitor = FirstTable + IndexOf(page);
            return visitor->_page == page ? visitor : Find(page);
        }
    }

    /// <summary>Whether any thread uses an attachment, or may.</summary>
    internal static bool IsAnyAt(nint attachment)
    {
        for (Visitor* visitor = (Visitor*)Volatile.Read(ref _latest); visitor != null; visitor = visitor->_earlier)
        {
            nint visited = Volatile.Read(ref visitor->Visited);
            if (visited == attachment || visited == Several || Volatile.Read(ref visitor->VisitedQuickly) == attachment)
            {
                return true;
            }
        }

        return false;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong IndexOf(ulong page) => page & IndexMask;

    /// <summary>The one of a page that is not the first where it belongs, or that there is not yet.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Visitor* Find(ulong page)
    {
        // As many tables as are needed: a table that has no place for the page leads to the next.
        for (Visitor* table = FirstTable; ; table = TableAfter(table))
        {
            for (ulong probe = 0; probe < MaxProbes; probe++)
            {
                Visitor* visitor = table + IndexOf(page + probe);
                ulong found = Volatile.Read(ref visitor->_page);
                if (found == 0 && (found = Interlocked.CompareExchange(ref visitor->_page, page, 0)) == 0)
                {
                    return Announce(visitor);
                }

                if (found == page)
                {
                    return visitor;
                }
            }
        }
    }

    /// <summary>
    /// Puts a new visitor into the list, with a full fence: a thread that gives back reads the list after its own fence, so it finds the visitor, or the
    /// visitor finds that the heap has ended.
    /// </summary>
    private static Visitor* Announce(Visitor* visitor)
    {
        nint latest;
        do
        {
            latest = Volatile.Read(ref _latest);
            visitor->_earlier = (Visitor*)latest;
        }
        while (Interlocked.CompareExchange(ref _latest, (nint)visitor, latest) != latest);
        return visitor;
    }

    private static Visitor* TableAfter(Visitor* table)
    {
        nint next = Volatile.Read(ref table->_nextTable);
        if (next != 0)
        {
            return (Visitor*)next;
        }

        Visitor* made = MakeTable();
        next = Interlocked.CompareExchange(ref table->_nextTable, (nint)made, 0);
        if (next == 0)
        {
            return made;
        }

        NativeMemory.AlignedFree(made);
        return (Visitor*)next;
    }

    private static Visitor* MakeTable()
    {
        nuint bytes = (nuint)Line << TableBits;
        void* table = NativeMemory.AlignedAlloc(bytes, Line);
        NativeMemory.Clear(table, bytes);
        return (Visitor*)table;
    }
}
