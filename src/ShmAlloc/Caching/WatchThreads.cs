namespace ShmAlloc.Caching;

/// <summary>
/// The threads of a <see cref="FlightWatch"/>. One watches; if callers await, another one stands by. So a caller whose wait is over goes on in the thread that
/// has found that out, and need not be woken by it: the other thread watches on.
/// </summary>
/// <remarks>
/// <code>
///   stands by ──► watches ──► away: a caller goes on in it
///       ▲            │                    │
///       └────────────┴────────────────────┘
/// </code>
/// A caller may take as long as it likes, and block. So a thread goes away only if another one stands by, and only one at a time: all other callers go on in
/// threads of the pool. A thread that stands by is woken only if there is something left to watch.
/// </remarks>
/// <param name="gate">The gate of the watch.</param>
/// <param name="isIdle">Whether there is nothing to watch. Called with the gate held.</param>
/// <param name="watch">
/// Watches for a moment, and says whether <see cref="TryLeave"/> has said that the watch ends in this thread; and which caller goes on in it then, if any.
/// Called without the gate, in one thread at a time.
/// </param>
internal sealed class WatchThreads(object gate, Func<bool> isIdle, WatchThreads.Moment watch)
{
    internal delegate bool Moment(ref FlightWaiter? caller);

    private const int Most = 2;

    private static readonly TimeSpan Idle = TimeSpan.FromSeconds(1);

    /// <summary>Those that watch or stand by.</summary>
    private int _threads;
    private bool _isWatched;
    private bool _isAway;

    /// <summary>Whether there is a thread that watches, or is about to.</summary>
    internal bool IsRunning => Volatile.Read(ref _threads) != 0;

    /// <summary>How a thread is started; tests have none.</summary>
    internal Action<Thread> StartThread { get; set; } = static thread => thread.UnsafeStart();

    /// <summary>There is something to watch. With the gate held.</summary>
    /// <param name="isAwaited">Whether a caller awaits it.</param>
    internal void Start(bool isAwaited)
    {
        if (!_isWatched)
        {
            Monitor.Pulse(gate);
        }

        int wanted = isAwaited && !_isAway ? Most : 1;
        while (_threads < wanted)
        {
            try
            {
                StartThread(new Thread(Run) { IsBackground = true, Name = "ShmAlloc: waits for values" });
                _threads++;
            }
            catch (Exception exception) when (exception is OutOfMemoryException or ThreadStartException)
            {
                // The process may have no further threads: those who wait look for themselves, until a later one can start it.
                return;
            }
        }
    }

    /// <summary>Called by the thread that watches. Ends its watch if there is nothing to watch, or if a caller goes on in it.</summary>
    /// <param name="hasCaller">Whether there is one whose wait is over.</param>
    /// <returns>False: it watches on, and the caller goes on elsewhere.</returns>
    internal bool TryLeave(bool hasCaller)
    {
        lock (gate)
        {
            bool goesAway = hasCaller && _threads == Most && !_isAway;
            bool ends = goesAway || (!hasCaller && isIdle());
            if (!ends)
            {
                return false;
            }

            if (goesAway)
            {
                _threads--;
                _isAway = true;
            }

            _isWatched = false;
            if (!isIdle())
            {
                Monitor.Pulse(gate);
            }

            return true;
        }
    }

    private void Run()
    {
        while (TryBegin())
        {
            if (Watch() is { } caller)
            {
                caller.EndHere();
                ComeBack();
            }
        }
    }

    /// <returns>The caller that goes on in this thread: another one stands by to watch.</returns>
    private FlightWaiter? Watch()
    {
        FlightWaiter? caller = null;
        while (true)
        {
            try
            {
                if (watch(ref caller))
                {
                    return caller;
                }
            }
            catch (ThreadInterruptedException)
            {
                // Meant for a caller that went on in this thread before, and is through. The one whose wait is over is not forgotten.
            }
        }
    }

    /// <summary>Stands by until there is something to watch, and no thread that does.</summary>
    /// <returns>False: there was nothing for a while, and the thread ends.</returns>
    private bool TryBegin()
    {
        while (true)
        {
            try
            {
                lock (gate)
                {
                    while (_isWatched || isIdle())
                    {
                        if (!Monitor.Wait(gate, Idle) && isIdle())
                        {
                            _threads--;
                            return false;
                        }
                    }

                    _isWatched = true;
                    return true;
                }
            }
            catch (ThreadInterruptedException)
            {
                // Meant for a caller that went on in this thread before, and is through.
            }
        }
    }

    /// <summary>The caller that went on in this thread has ended, or awaits something else.</summary>
    private void ComeBack()
    {
        // The caller may have changed what is the thread's.
        Thread.CurrentThread.IsBackground = true;
        Thread.CurrentThread.Priority = ThreadPriority.Normal;
        while (!TryComeBack())
        {
        }
    }

    /// <returns>False: the thread was interrupted, which was meant for the caller.</returns>
    private bool TryComeBack()
    {
        try
        {
            // No other thread was started to stand by meanwhile.
            lock (gate)
            {
                _isAway = false;
                _threads++;
                return true;
            }
        }
        catch (ThreadInterruptedException)
        {
            return false;
        }
    }
}
