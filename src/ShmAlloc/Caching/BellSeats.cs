using System.Diagnostics;
using ShmAlloc.Disposal;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>
/// Where the first few threads of a process sleep that wait for flights of other processes: at the bell itself. So a landing wakes the thread that wants the
/// value, and not one that wakes that thread.
/// </summary>
/// <remarks>
/// No wake is lost, for the reason that <see cref="Bell{TMachine}"/> gives: each thread listens before each look, and sleeps only while the bell is what it has
/// heard. The ringer wakes all that sleep there, so threads at the bell and <see cref="FlightWatch"/> take no wake from each other. A ringer that died
/// before it woke them costs them the rest of their sleep, 10 milliseconds at most.
/// <para>
/// Each ring wakes all of them, whomever it is for. So there are few seats, and a thread that the rings of other flights have woken again and again leaves its
/// seat: it waits with <see cref="FlightWatch"/>, which is one thread for all.
/// </para>
/// A thread of the pool has no seat: the runtime would not know that it waits, and would not let another one work in its stead.
/// </remarks>
internal sealed unsafe class BellSeats(ShmHeap heap)
{
    private const int Seats = 4;

    /// <summary>So many rings in a row, each within the longest sleep after the one before, may be for others.</summary>
    private const int MostWakesInVain = 16;

    private int _taken;

    /// <summary>How many wait here.</summary>
    internal int Taken => Volatile.Read(ref _taken);

    /// <summary>Whether the calling thread may wait here.</summary>
    internal bool MayWait => !heap.IsReadOnly && !Thread.CurrentThread.IsThreadPoolThread;

    /// <summary>Waits until what was seen is over, the heap is closed, or the time is; and a little longer. Not during a visit.</summary>
    /// <exception cref="ThreadInterruptedException">The thread was interrupted.</exception>
    internal BellWait Wait(in FlightLook look, TimeSpan most)
    {
        try
        {
            return Interlocked.Increment(ref _taken) <= Seats ? WaitSeated(look, most) : BellWait.NoSeat;
        }
        finally
        {
            Interlocked.Decrement(ref _taken);
        }
    }

    private BellWait WaitSeated(in FlightLook look, TimeSpan most)
    {
        long begun = Stopwatch.GetTimestamp();
        ulong nextLook = 0;
        ulong heardBefore = 0;
        for (int wakesInVain = 0; wakesInVain <= MostWakesInVain;)
        {
            ulong* bell;
            ulong heard;
            using (Visit visit = new(heap))
            {
                Attachment* attached = visit.Heap;
                if ((nint)attached != heap.AttachmentName || Volatile.Read(ref attached->Closing) != 0)
                {
                    return BellWait.Ended;
                }

                FlightWaitState state = FlightWait<Hardware>.Look(attached, look, ref nextLook, out heard);
                if (state != FlightWaitState.GoesOn)
                {
                    return state == FlightWaitState.Over ? BellWait.Ended : BellWait.OwnerIsDead;
                }

                bell = &attached->Header->Bell;
            }

            double left = (most - Stopwatch.GetElapsedTime(begun)).TotalMilliseconds;
            if (left <= 0)
            {
                return BellWait.Ended;
            }

            wakesInVain = heard == heardBefore ? 0 : wakesInVain + 1;
            heardBefore = heard;

            // Where an interrupt would be thrown if the runtime knew that the thread sleeps now.
            Thread.CurrentThread.Join(0);

            // Outside of the visit, so that it keeps no other thread from disposing: the kernel looks at the address, and finds a word or none.
            Bell<Hardware>.Wait(bell, heard, (uint)Math.Min(Math.Ceiling(left), Bell<Hardware>.MostMilliseconds));
        }

        return BellWait.NoSeat;
    }
}

/// <summary>What came of waiting at the bell.</summary>
internal enum BellWait
{
    /// <summary>The wait is over, for whatever reason: the caller looks again.</summary>
    Ended,

    /// <summary>The owner is dead, although others cannot be told so.</summary>
    OwnerIsDead,

    /// <summary>The caller waits with the watch: the seats are taken, or it was woken too often in vain.</summary>
    NoSeat,
}
