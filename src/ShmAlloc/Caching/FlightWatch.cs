using System.Collections.Concurrent;
using System.Diagnostics;
using ShmAlloc.Disposal;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>
/// What one process knows of flights in a heap: its own ones, and those of others that somebody here waits for. One thread waits for all of them, and looks
/// after the dead meanwhile; it runs while there is need of it.
/// </summary>
internal sealed unsafe class FlightWatch(ShmHeap heap)
{
    /// <summary>Looking at all that is waited for takes at most a twentieth of the time.</summary>
    private const int RestPerLook = 19;

    private static readonly TimeSpan BetweenRecoveries = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan LongestRest = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan ReadOnlyRest = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(1);

    private readonly object _gate = new();
    private readonly HashSet<Waiter> _waiters = [];
    private readonly Dictionary<(nint At, ulong Word), Waiter> _noted = [];
    private readonly ConcurrentDictionary<long, WeakReference<CacheFlight>> _running = [];
    private long _lastName;
    private bool _isRunning;

    /// <summary>With the gate held.</summary>
    private bool IsIdle => _waiters.Count == 0 && _noted.Count == 0;

    /// <summary>The flights of this process, by cache, hash of the key, and number.</summary>
    internal ConcurrentDictionary<(uint Cache, ulong Hash, uint Number), LocalFlight> Own { get; } = [];

    /// <summary>How many wait for others.</summary>
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

    /// <summary>Notes a flight that owns a work word, as long as somebody refers to it.</summary>
    internal long Note(CacheFlight flight)
    {
        long name = Interlocked.Increment(ref _lastName);
        _running[name] = new WeakReference<CacheFlight>(flight);
        return name;
    }

    internal void Forget(long name) => _running.TryRemove(name, out _);

    /// <summary>The heap is about to be disposed: others need not wait until its slot is free, which an open lease may put off.</summary>
    internal void GiveUpAll()
    {
        foreach (WeakReference<CacheFlight> running in _running.Values)
        {
            if (running.TryGetTarget(out CacheFlight? flight))
            {
                flight.GiveUpWithHeap();
            }
        }
    }

    /// <summary>Registers a flight under a number that no other one has on that key.</summary>
    internal uint Register(Attachment* attached, uint cache, ulong hash, LocalFlight flight)
    {
        while (true)
        {
            uint number = Flight<Hardware>.NextNumber(attached);
            if (Own.TryAdd((cache, hash, number), flight))
            {
                return number;
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
            _waiters.Remove(waiter);
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
                _noted.Add(name, new Waiter(look));
                Start();
                return false;
            }

            limit = limit == TimeSpan.Zero ? CacheFlightOptions.DefaultWaitLimit : limit;
            return limit != Timeout.InfiniteTimeSpan && Stopwatch.GetElapsedTime(noted.Since) >= limit;
        }
    }

    /// <summary>With the gate held.</summary>
    private void Start()
    {
        Monitor.Pulse(_gate);
        if (!_isRunning)
        {
            _isRunning = true;
            new Thread(Run) { IsBackground = true, Name = "ShmAlloc: waits for values" }.UnsafeStart();
        }
    }

    private void Run()
    {
        long lastRecovery = 0;
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

            long begun = Stopwatch.GetTimestamp();
            if (!TryLook(out ulong* bell, out ulong heard))
            {
                EndAll();
                continue;
            }

            if (Stopwatch.GetElapsedTime(lastRecovery) >= BetweenRecoveries)
            {
                LookAfterTheDead();
                lastRecovery = Stopwatch.GetTimestamp();
            }

            TimeSpan rest = Stopwatch.GetElapsedTime(begun) * RestPerLook;
            Sleep(bell, heard, rest < LongestRest ? rest : LongestRest);
        }
    }

    /// <summary>Looks at everything that is waited for.</summary>
    /// <returns>False if the heap was disposed.</returns>
    private bool TryLook(out ulong* bell, out ulong heard)
    {
        using Visit visit = new(heap);
        Attachment* attached = visit.Heap;
        bell = &attached->Header->Bell;
        heard = 0;
        if ((nint)attached != heap.AttachmentName || Volatile.Read(ref attached->Closing) != 0)
        {
            return false;
        }

        heard = attached->ReadOnly ? 0 : Bell<Hardware>.Listen(attached);
        lock (_gate)
        {
            foreach (Waiter waiter in _waiters)
            {
                if (waiter.IsOver(attached))
                {
                    waiter.Done.TrySetResult();
                    _waiters.Remove(waiter);
                }
            }

            foreach (((nint, ulong) key, Waiter waiter) in _noted)
            {
                if (waiter.IsOver(attached))
                {
                    _noted.Remove(key);
                }
            }
        }

        return true;
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
                // Each slot is asked for once.
                Dictionary<int, bool> isAlive = new() { [attached->Slot] = true };
                foreach (Waiter waiter in _waiters.Concat(_noted.Values))
                {
                    if (!isAlive.TryGetValue(waiter.Slot, out bool isHeld))
                    {
                        isHeld = Hardware.IsSlotHeld(attached, probe, waiter.Slot);
                        isAlive.Add(waiter.Slot, isHeld);
                    }

                    isAnyDead |= !isHeld;
                    if (!isHeld && attached->ReadOnly)
                    {
                        waiter.IsOwnerDead = true;
                        waiter.Done.TrySetResult();
                    }
                }
            }

            Hardware.EndProbing(attached, probe);
        }

        if (isAnyDead && !heap.IsReadOnly)
        {
            heap.RecoverDead();
        }
    }

    /// <summary>Outside of a visit, so that it keeps nobody from disposing: the kernel looks at the address, and finds a word or none.</summary>
    private void Sleep(ulong* bell, ulong heard, TimeSpan rest)
    {
        long begun = Stopwatch.GetTimestamp();
        if (heap.IsReadOnly)
        {
            Thread.Sleep(ReadOnlyRest);
        }
        else
        {
            Bell<Hardware>.Wait(bell, heard);
        }

        TimeSpan left = rest - Stopwatch.GetElapsedTime(begun);
        if (left > TimeSpan.FromMilliseconds(1))
        {
            Thread.Sleep(left);
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
        }
    }

    /// <summary>What somebody waits for: that an entry, or a work word, is no more what it was, or that nobody alive owns that.</summary>
    internal sealed class Waiter(in FlightLook look)
    {
        private readonly FlightLook _seen = look;

        internal long Since { get; } = Stopwatch.GetTimestamp();

        /// <summary>Whose word it is.</summary>
        internal int Slot => _seen.Word.Slot;

        /// <summary>Whether it need not wait, although it cannot be said to others that the owner is dead.</summary>
        internal bool IsOwnerDead { get; set; }

        internal TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>During a visit.</summary>
        internal bool IsOver(Attachment* heap) => FlightWait<Hardware>.IsOver(heap, _seen);
    }
}
