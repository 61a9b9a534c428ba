using System.Diagnostics;
using System.Runtime.InteropServices;
using ShmAlloc.Disposal;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>
/// The flights that callers of this process wait for, most of them those of other processes. One thread waits for all of them, and looks after the dead
/// meanwhile; it runs while a caller waits: see <see cref="WatchThreads"/>. A few callers wait without it: see <see cref="BellSeats"/>.
/// </summary>
/// <remarks>
/// A look at what 20,000 waiters wait for takes about a millisecond. So the thread looks when the bell has rung, or an owner is void; otherwise only every
/// <see cref="LongestRest"/>, because a ringer may have died before it woke anybody. Whether the owners live it asks every ten milliseconds: they are few.
/// </remarks>
internal sealed unsafe class FlightWatch
{
    /// <summary>Looking at all that is waited for takes at most a thirtieth of the time.</summary>
    private const int RestPerLook = 29;

    /// <summary>Between two looks at whether owners live; by callers, too, when there is no thread that could look for them.</summary>
    internal static readonly TimeSpan BetweenRecoveries = TimeSpan.FromMilliseconds(10);

    private static readonly TimeSpan LongestRest = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan ShortestRest = TimeSpan.FromMilliseconds(1);

    /// <summary>A look that was interrupted is not one that takes long.</summary>
    private static readonly TimeSpan MostRestPerWaiter = TimeSpan.FromMicroseconds(5);

    private static readonly TimeSpan ReadOnlyRest = TimeSpan.FromMilliseconds(2);

    private readonly ShmHeap _heap;
    private readonly object _gate = new();
    private readonly HashSet<FlightWaiter> _waiters = [];
    private readonly Dictionary<(nint At, ulong Word), FlightWaiter> _noted = [];
    private readonly Dictionary<(int Slot, uint Epoch), int> _owners = [];
    private readonly List<UnendedFlight> _unended = [];

    // What follows is the thread's that watches.
    private ulong* _bell;
    private ulong _heard;
    private long _looked;
    private long _lookedAfterTheDead;
    private TimeSpan _rest;
    private bool _isOwnerVoid;
    private readonly List<FlightWaiter> _over = [];
    private readonly List<(int Slot, uint Epoch)> _asked = [];

    internal FlightWatch(ShmHeap heap)
    {
        _heap = heap;
        Threads = new WatchThreads(_gate, () => IsIdle, TryEndWatch);
    }

    internal WatchThreads Threads { get; }

    /// <summary>Whether there is a thread that waits for all.</summary>
    internal bool IsRunning => Threads.IsRunning;

    /// <summary>With the gate held.</summary>
    private bool IsIdle => _waiters.Count == 0 && _noted.Count == 0 && _unended.Count == 0;

    /// <summary>How many callers wait here.</summary>
    internal int Waiting
    {
        get
        {
            lock (_gate)
            {
                return _waiters.Count;
            }
        }
    }

    /// <summary>Waits until what was seen has changed, or nobody alive works on it any more. During a visit.</summary>
    /// <param name="look">What was seen.</param>
    /// <param name="isAwaited">Whether the caller awaits it; if not, it waits as a thread.</param>
    internal FlightWaiter Park(in FlightLook look, bool isAwaited)
    {
        FlightWaiter waiter = new(look, isAwaited);
        lock (_gate)
        {
            _waiters.Add(waiter);
            CountOwner(waiter, 1);
            Threads.Start(isAwaited);
        }

        // A change from here on is seen by the thread, one before that now.
        if (waiter.IsOver(_heap.Attachment))
        {
            waiter.EndHere();
        }

        return waiter;
    }

    /// <summary>The waiter has left.</summary>
    internal void Unpark(FlightWaiter waiter)
    {
        lock (_gate)
        {
            Remove(waiter);
        }
    }

    /// <summary>Notes that somebody works for whom nobody waits, because there is a value meanwhile: so that it is found if it has died or hangs.</summary>
    /// <returns>
    /// Whether it has been at work for longer than the limit, since somebody here saw it first; who waits for nobody gives it the default one.
    /// </returns>
    internal bool IsOverdue(in FlightLook look, TimeSpan limit)
    {
        lock (_gate)
        {
            (nint, ulong) name = ((nint)look.At, look.Word.Bits);
            if (!_noted.TryGetValue(name, out FlightWaiter? noted))
            {
                noted = new FlightWaiter(look, isAwaited: false);
                _noted.Add(name, noted);
                CountOwner(noted, 1);
                Threads.Start(isAwaited: false);
                return false;
            }

            limit = limit == TimeSpan.Zero ? CacheFlightOptions.DefaultWaitLimit : limit;
            return limit != Timeout.InfiniteTimeSpan && Stopwatch.GetElapsedTime(noted.Since) >= limit;
        }
    }

    /// <summary>A flight of this process has ended, but others were in the way when they were to be told so.</summary>
    internal void EndLater(in UnendedFlight flight)
    {
        lock (_gate)
        {
            _unended.Add(flight);
            Threads.Start(isAwaited: false);
        }
    }

    /// <summary>Tries again to tell others of flights that have ended. One that was left just now is the thread's.</summary>
    internal void EndThoseLeft()
    {
        if (_unended.Count == 0)
        {
            return;
        }

        UnendedFlight[] left;
        lock (_gate)
        {
            left = [.. _unended];
            _unended.Clear();
        }

        foreach (UnendedFlight flight in left)
        {
            if (!flight.TryEnd())
            {
                EndLater(flight);
            }
        }
    }

    /// <summary>With the gate held.</summary>
    private void Remove(FlightWaiter waiter)
    {
        if (_waiters.Remove(waiter))
        {
            CountOwner(waiter, -1);
        }
    }

    /// <summary>With the gate held: how many wait for an owner, so that each is asked for once.</summary>
    private void CountOwner(FlightWaiter waiter, int change)
    {
        ref int count = ref CollectionsMarshal.GetValueRefOrAddDefault(_owners, waiter.Owner, out _);
        count += change;
        if (count == 0)
        {
            _owners.Remove(waiter.Owner);
        }
    }

    /// <summary>Looks once at what there is to watch, and sleeps for a while.</summary>
    /// <param name="caller">One whose wait is over, and that was not ended yet, if there is one.</param>
    /// <returns>Whether the watch ends in this thread.</returns>
    private bool TryEndWatch(ref FlightWaiter? caller)
    {
        if (caller == null)
        {
            if (!TryLook())
            {
                EndAll();
            }

            caller = EndOver();
        }

        if (Threads.TryLeave(caller != null))
        {
            return true;
        }

        caller?.End();
        caller = null;
        if (Stopwatch.GetElapsedTime(_lookedAfterTheDead) >= BetweenRecoveries)
        {
            LookAfterTheDead();
            EndThoseLeft();
            _lookedAfterTheDead = Stopwatch.GetTimestamp();
        }

        if (!_isOwnerVoid)
        {
            Sleep();
        }

        return false;
    }

    /// <summary>Ends what the look has found to be over, without the gate, which is the first that each caller wants.</summary>
    /// <returns>One that is left to be ended, because a caller awaits it.</returns>
    private FlightWaiter? EndOver()
    {
        FlightWaiter? left = null;
        foreach (FlightWaiter waiter in _over)
        {
            if (waiter.IsAwaited && left == null)
            {
                left = waiter;
            }
            else
            {
                waiter.End();
            }
        }

        _over.Clear();
        return left;
    }

    /// <summary>Looks at everything that is waited for, if there is reason to.</summary>
    /// <returns>False if the heap was disposed.</returns>
    private bool TryLook()
    {
        using Visit visit = new(_heap);
        Attachment* attached = visit.Heap;
        if ((nint)attached != _heap.AttachmentName || Volatile.Read(ref attached->Closing) != 0)
        {
            return false;
        }

        if (!_isOwnerVoid && !IsLookDue(attached))
        {
            return true;
        }

        _isOwnerVoid = false;
        _bell = &attached->Header->Bell;
        _heard = attached->ReadOnly ? 0 : Bell<Hardware>.Listen(attached);
        lock (_gate)
        {
            long begun = Stopwatch.GetTimestamp();
            foreach (FlightWaiter waiter in _waiters)
            {
                if (waiter.IsOver(attached))
                {
                    _over.Add(waiter);
                }
            }

            foreach (((nint, ulong) key, FlightWaiter noted) in _noted)
            {
                if (noted.IsOver(attached))
                {
                    _noted.Remove(key);
                    CountOwner(noted, -1);
                }
            }

            _looked = Stopwatch.GetTimestamp();
            TimeSpan rest = Stopwatch.GetElapsedTime(begun, _looked) * RestPerLook;
            TimeSpan most = MostRestPerWaiter * (_waiters.Count + _noted.Count);
            rest = rest < most ? rest : most;
            _rest = rest < ShortestRest ? TimeSpan.Zero : rest < LongestRest ? rest : LongestRest;
            _over.ForEach(Remove);
        }

        return true;
    }

    /// <summary>
    /// Who registers looks for itself after that; so what has changed since the last look, and was not seen by that, was rung for: unless by one that died.
    /// </summary>
    private bool IsLookDue(Attachment* attached)
    {
        TimeSpan passed = Stopwatch.GetElapsedTime(_looked);
        return passed >= _rest && (passed >= LongestRest || attached->ReadOnly || Bell<Hardware>.HasRung(attached, _heard));
    }

    /// <summary>
    /// Asks whether those live whose values are waited for. The dead are recovered, so that their words are void; by who may only read they are not, but it
    /// need not wait for them.
    /// </summary>
    private void LookAfterTheDead()
    {
        bool isAnyDead = false;
        using (Visit visit = new(_heap))
        {
            Attachment* attached = visit.Heap;
            if ((nint)attached != _heap.AttachmentName || !Hardware.BeginProbing(attached, out int probe))
            {
                return;
            }

            lock (_gate)
            {
                _asked.AddRange(_owners.Keys);
            }

            foreach ((int slot, uint epoch) in _asked)
            {
                bool isHeld = slot == attached->Slot || Hardware.IsSlotHeld(attached, probe, slot);
                isAnyDead |= !isHeld;
                _isOwnerVoid |= !isHeld || Flight<Hardware>.IsVoid(attached, WorkWord.Owned(slot, 0, epoch));
                if (!isHeld && (attached->ReadOnly || attached->Slot < 0))
                {
                    EndThoseOf(slot);
                }
            }

            _asked.Clear();
            Hardware.EndProbing(attached, probe);
        }

        if (isAnyDead && !_heap.IsReadOnly)
        {
            _heap.RecoverDead();
        }
    }

    private void EndThoseOf(int slot)
    {
        lock (_gate)
        {
            foreach (FlightWaiter waiter in _waiters.Concat(_noted.Values).Where(waiter => waiter.Owner.Slot == slot))
            {
                waiter.IsOwnerDead = true;
                waiter.End();
            }
        }
    }

    /// <summary>Outside of a visit, so that it keeps nobody from disposing: the kernel looks at the address, and finds a word or none.</summary>
    private void Sleep()
    {
        TimeSpan left = _rest - Stopwatch.GetElapsedTime(_looked);
        if (_heap.IsReadOnly)
        {
            Thread.Sleep(ReadOnlyRest);
        }
        else if (left > TimeSpan.Zero)
        {
            // Not longer than the dead may wait.
            Thread.Sleep(left < ShortestRest ? ShortestRest : left < BetweenRecoveries ? left : BetweenRecoveries);
        }
        else
        {
            Bell<Hardware>.Wait(_bell, _heard);
        }
    }

    private void EndAll()
    {
        lock (_gate)
        {
            foreach (FlightWaiter waiter in _waiters)
            {
                waiter.End();
            }

            _waiters.Clear();
            _noted.Clear();
            _unended.Clear();
            _owners.Clear();
        }
    }
}
