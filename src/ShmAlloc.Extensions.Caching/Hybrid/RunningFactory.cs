namespace ShmAlloc.Extensions.Caching.Hybrid;

/// <summary>
/// A factory that runs in this process, and the factories that it waits for: so that one that would wait for itself is told so, instead of waiting for ever.
/// </summary>
/// <remarks>
/// The core finds this out for factories that run for all processes, and this graph for those that run for this process only. Of a cycle that leads through
/// callers of both kinds it knows as much as lies in one flow; the others end when the limit of the wait in the core has passed.
/// </remarks>
internal class RunningFactory
{
    private static readonly Lock Gate = new();
    private static readonly AsyncLocal<RunningFactory?> Here = new();

    private readonly List<RunningFactory> _waitsFor = [];
    private RunningFactory? _around;
    private bool _hasEnded;

    /// <summary>The factory that this flow is in, if it still runs; else the one around it: what the inner one has started belongs to that.</summary>
    private static RunningFactory? Current => FirstRunning(Here.Value);

    /// <summary>The flow of an asynchronous method enters the factory; it leaves it when that method returns.</summary>
    internal void Enter()
    {
        _around = Current;

        // Without those that have ended: a factory that starts the next one of its kind would leave a chain that never ends.
        for (RunningFactory? factory = _around; factory != null; factory = factory._around)
        {
            factory._around = FirstRunning(factory._around);
        }

        Here.Value = this;
    }

    /// <summary>
    /// What the factory has started, and what goes on without it, is in it no more. Before its callers learn what came of it: until they have, they count as
    /// waiting for it.
    /// </summary>
    internal void End() => Volatile.Write(ref _hasEnded, true);

    /// <summary>Says that the factory that this flow is in, if any, waits for another one.</summary>
    /// <returns>To be disposed when it waits no more.</returns>
    /// <exception cref="InvalidOperationException">That one waits, directly or through others, for the factory that this flow is in.</exception>
    internal static Wait BeginWait(RunningFactory target)
    {
        if (Current is not { } own)
        {
            return default;
        }

        lock (Gate)
        {
            if (target.Reaches(own))
            {
                throw new InvalidOperationException(
                    "The factory of a key asks for a key whose value waits for that factory: it would wait for itself. "
                    + "Ask for the other key before, or after.");
            }

            own._waitsFor.Add(target);
        }

        return new Wait(own, target);
    }

    private static RunningFactory? FirstRunning(RunningFactory? factory)
    {
        while (factory != null && Volatile.Read(ref factory._hasEnded))
        {
            factory = factory._around;
        }

        return factory;
    }

    /// <summary>A chain may be as long as there are factories.</summary>
    private bool Reaches(RunningFactory other)
    {
        HashSet<RunningFactory> seen = [this];
        Stack<RunningFactory> next = new(seen);
        while (next.TryPop(out RunningFactory? factory))
        {
            if (factory == other)
            {
                return true;
            }

            foreach (RunningFactory waited in factory._waitsFor.Where(seen.Add))
            {
                next.Push(waited);
            }
        }

        return false;
    }

    /// <summary>That one factory waits for another.</summary>
    internal readonly struct Wait(RunningFactory? own, RunningFactory target) : IDisposable
    {
        public void Dispose()
        {
            if (own != null)
            {
                lock (Gate)
                {
                    own._waitsFor.Remove(target);
                }
            }
        }
    }
}
