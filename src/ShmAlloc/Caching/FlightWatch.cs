using System.Diagnostics;
using System.Runtime.InteropServices;
using ShmAlloc.Disposal;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>
/// The flights that callers of this process wait for, most of them those of other processes. One thread waits for all of them, and looks after the dead
/// meanwhile; it runs while a caller waits.
/// </summary>
/// <remarks>
/// A look at what 20,000 waiters wait for takes about a millisecond. So the thread looks when the bell has rung, or an owner is void; otherwise only every
/// <see cref="LongestRest"/>, because a ringer may have died before it woke anybody. Whether the owners live it asks every ten milliseconds: they are few.
/// </remarks>
internal sealed unsafe class FlightWatch(ShmHeap heap)
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
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(1);

    private readonly object _gate = new();
    private readonly HashSet<Waiter> _waiters = [];
    private readonly Dictionary<(nint At, ulong Word), Waiter> _noted = [];
    private readonly Dictionary<(int Slot, uint Epoch), int> _owners = [];
    private bool _isRunning;

    // What follows is the thread's.
    private ulong* _bell;
    private ulong _heard;
    private long _looked;
    private long _lookedAfterTheDead;
    private TimeSpan _rest;
    private bool _isOwnerVoid;
    private readonly List<Waiter> _over = [];
    private readonly List<(int Slot, uint Epoch)> _asked = [];

    /// <summary>Whether there is a thread that waits for all.</summary>
    internal bool IsRunning => Volatile.Read(ref _isRunning);

    /// <summary>With the gate held.</summary>
    private bool IsIdle => _waiters.Count == 0 && _noted.Count == 0;

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
    internal Waiter Park(in FlightLook look)
    {
        Waiter waiter = new(look);
        lock (_gate)
        {
            _waiters.Add(waiter);
            CountOwner(waiter, 1);
            Start();
        }

        // A change from here on is seen by the thread, one before that now.
        if (waiter.IsOver(heap.Attachment))
        {
            waiter.Done.TrySetResult();
        }

        return waiter;
    }

    /// <summary>The waiter has left.</summary>
    internal void Unpark(Waiter waiter)
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
            if (!_noted.TryGetValue(name, out Waiter? noted))
            {
                noted = new Waiter(look);
                _noted.Add(name, noted);
                CountOwner(noted, 1);
                Start();
                return false;
            }

            limit = limit == TimeSpan.Zero ? CacheFlightOptions.DefaultWaitLimit : limit;
            return limit != Timeout.InfiniteTimeSpan && Stopwatch.GetElapsedTime(noted.Since) >= limit;
        }
    }

    /// <summary>With the gate held.</summary>
    private void Remove(Waiter waiter)
    {
        if (_waiters.Remove(waiter))
        {
            CountOwner(waiter, -1);
        }
    }

    /// <summary>With the gate held: how many wait for an owner, so that each is asked for once.</summary>
    private void CountOwner(Waiter waiter, int change)
    {
        ref int count = ref CollectionsMarshal.GetValueRefOrAddDefault(_owners, waiter.Owner, out _);
        count += change;
        if (count == 0)
        {
            _owners.Remove(waiter.Owner);
        }
    }

    /// <summary>With the gate held.</summary>
    private void Start()
    {
        Monitor.Pulse(_gate);
        if (!_isRunning)
        {
            try
            {
                new Thread(Run) { IsBackground = true, Name = "ShmAlloc: waits for values" }.UnsafeStart();
                _isRunning = true;
            }
            catch (Exception exception) when (exception is OutOfMemoryException or ThreadStartException)
            {
                // The process may have no further threads: those who wait look for themselves, until a later one can start it.
            }
        }
    }

    private void Run()
    {
        while (true)
        {
            lock (_gate)
            {
                if (IsIdle && !Monitor.Wait(_gate, Idle) && IsIdle)
                {
                    _isRunning = false;
                    return;
                }
            }

            if (!TryLook())
            {
                EndAll();
                continue;
            }

            if (Stopwatch.GetElapsedTime(_lookedAfterTheDead) >= BetweenRecoveries)
            {
                LookAfterTheDead();
                _lookedAfterTheDead = Stopwatch.GetTimestamp();
            }

            if (!_isOwnerVoid)
            {
                Sleep();
            }
        }
    }

    /// <summary>Looks at everything that is waited for, if there is reason to.</summary>
    /// <returns>False if the heap was disposed.</returns>
    private bool TryLook()
    {
        using Visit visit = new(heap);
        Attachment* attached = visit.Heap;
        if ((nint)attached != heap.AttachmentName || Volatile.Read(ref attached->Closing) != 0)
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
            foreach (Waiter waiter in _waiters)
            {
                if (waiter.IsOver(attached))
                {
                    _over.Add(waiter);
                }
            }

            foreach (((nint, ulong) key, Waiter noted) in _noted)
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

        // Without the gate, which is the first that each of them wants; and not part of the look, because it is not in vain.
        foreach (Waiter waiter in _over)
        {
            waiter.Done.TrySetResult();
        }

        _over.Clear();
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
        using (Visit visit = new(heap))
        {
            Attachment* attached = visit.Heap;
            if ((nint)attached != heap.AttachmentName || !Hardware.BeginProbing(attached, out int probe))
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

        if (isAnyDead && !heap.IsReadOnly)
        {
            heap.RecoverDead();
        }
    }

    private void EndThoseOf(int slot)
    {
        lock (_gate)
        {
            foreach (Waiter waiter in _waiters.Concat(_noted.Values).Where(waiter => waiter.Owner.Slot == slot))
            {
                waiter.IsOwnerDead = true;
                waiter.Done.TrySetResult();
            }
        }
    }

    /// <summary>Outside of a visit, so that it keeps nobody from disposing: the kernel looks at the address, and finds a word or none.</summary>
    private void Sleep()
    {
        TimeSpan left = _rest - Stopwatch.GetElapsedTime(_looked);
        if (heap.IsReadOnly)
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
            foreach (Waiter waiter in _waiters)
            {
                waiter.Done.TrySetResult();
            }

            _waiters.Clear();
            _noted.Clear();
            _owners.Clear();
        }
    }

    /// <summary>What somebody waits for: that an entry, or a work word, is no more what it was, or that nobody alive owns that.</summary>
    internal sealed class Waiter(in FlightLook look)
    {
        private readonly FlightLook _seen = look;

        internal long Since { get; } = Stopwatch.GetTimestamp();

        /// <summary>Whose word it is.</summary>
        internal (int Slot, uint Epoch) Owner => (_seen.Word.Slot, _seen.Word.Epoch);

        /// <summary>Whether it need not wait, although it cannot be said to others that the owner is dead.</summary>
        internal bool IsOwnerDead { get; set; }

        internal TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>During a visit.</summary>
        internal bool IsOver(Attachment* heap) => FlightWait<Hardware>.IsOver(heap, _seen);
    }
}
