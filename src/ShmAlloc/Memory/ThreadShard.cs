namespace ShmAlloc.Memory;

/// <summary>
/// Gives each thread a number of its own, which chooses its shard of private hints. In .NET a thread-static is several times cheaper than asking for
/// the processor, and threads of a number keep their hints when they move to another processor.
/// </summary>
internal static class ThreadShard
{
    private static int _last;

    /// <summary>Zero until the thread asks for the first time.</summary>
    [ThreadStatic]
    private static int _mine;

    internal static uint Current
    {
        get
        {
            int mine = _mine;
            return (uint)(mine != 0 ? mine : Assign());
        }
    }

    private static int Assign() => _mine = Interlocked.Increment(ref _last) & int.MaxValue | 1 << 30;
}
