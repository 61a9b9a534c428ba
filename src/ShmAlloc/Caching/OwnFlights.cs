using System.Collections.Concurrent;
using System.Diagnostics;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Participants;

namespace ShmAlloc.Caching;

/// <summary>The flights of this process in a heap: its callers find each other here, and the heap gives them up when it is disposed.</summary>
internal sealed unsafe class OwnFlights
{
    private static readonly TimeSpan LongestGivingUp = TimeSpan.FromSeconds(1);

    private readonly ConcurrentDictionary<long, WeakReference<CacheFlight>> _running = [];
    private long _lastName;
    private bool _hasGivenUp;
    private int _changing;

    /// <summary>Those that callers may join, by cache, hash of the key, and number.</summary>
    internal ConcurrentDictionary<(uint Cache, ulong Hash, uint Number), LocalFlight> Registered { get; } = [];

    /// <summary>Before a flight begins; <see cref="IsDone"/> comes after it was noted.</summary>
    /// <exception cref="ObjectDisposedException">The heap is being disposed: all flights were given up.</exception>
    internal void Begin()
    {
        BeginEnd();
        if (Volatile.Read(ref _hasGivenUp))
        {
            IsDone();
            throw new ObjectDisposedException(nameof(ShmHeap));
        }
    }

    /// <summary>Before a flight ends; <see cref="IsDone"/> comes when others can see it.</summary>
    internal void BeginEnd() => Interlocked.Increment(ref _changing);

    internal void IsDone() => Interlocked.Decrement(ref _changing);

    /// <summary>Notes a flight that owns a work word, until it has ended; one that is forgotten ends with its finalizer, which may come late.</summary>
    internal long Note(CacheFlight flight)
    {
        long name = Interlocked.Increment(ref _lastName);
        _running[name] = new WeakReference<CacheFlight>(flight, trackResurrection: true);
        return name;
    }

    internal void Forget(long name) => _running.TryRemove(name, out _);

    /// <summary>
    /// The heap is about to be disposed: others need not wait until its slot is free, which an open lease may put off. That takes a second at most, or as long
    /// as one of them takes; what is left others wait for until then.
    /// </summary>
    internal void GiveUpAll()
    {
        long begun = Stopwatch.GetTimestamp();

        // Who begins counts itself first, and then looks whether it may: so it is waited for here, or begins nothing.
        Volatile.Write(ref _hasGivenUp, true);
        Interlocked.MemoryBarrier();
        AwaitChanges(begun, LongestGivingUp / 2);
        foreach (WeakReference<CacheFlight> running in _running.Values)
        {
            if (Stopwatch.GetElapsedTime(begun) >= LongestGivingUp)
            {
                break;
            }

            if (running.TryGetTarget(out CacheFlight? flight))
            {
                flight.GiveUpWithHeap();
            }
        }

        // Those that were ending just then, by their callers or their finalizers, need the heap for it.
        AwaitChanges(begun, LongestGivingUp);
    }

    private void AwaitChanges(long begun, TimeSpan most)
    {
        TimeSpan left = most - Stopwatch.GetElapsedTime(begun);
        if (left > TimeSpan.Zero)
        {
            SpinWait.SpinUntil(() => Volatile.Read(ref _changing) == 0, left);
        }
    }

    /// <summary>Registers a flight under a number that no other one has on that key.</summary>
    /// <param name="attached">The attachment.</param>
    /// <param name="cache">Which cache.</param>
    /// <param name="hash">Of the key.</param>
    /// <param name="flight">The flight.</param>
    /// <param name="isRegistered">
    /// Whether others find it by its number. Not if there are as many on this key as there are numbers: then others wait for what it stores.
    /// </param>
    internal uint Register(Attachment* attached, uint cache, ulong hash, LocalFlight flight, out bool isRegistered)
    {
        uint number = 0;
        isRegistered = false;
        for (uint tries = 0; tries < WorkWord.Numbers && !isRegistered; tries++)
        {
            number = Flight<Hardware>.NextNumber(attached);
            isRegistered = Registered.TryAdd((cache, hash, number), flight);
        }

        return number;
    }
}
