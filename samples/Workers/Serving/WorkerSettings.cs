namespace Workers.Serving;

/// <summary>Which cache the workers have.</summary>
internal enum CacheKind
{
    /// <summary>One in shared memory.</summary>
    Shared,

    /// <summary>Microsoft's, one in each process: to see what is missing then.</summary>
    Microsoft,
}

/// <summary>What a worker is told when it starts.</summary>
/// <param name="Port">The port that all of them listen on.</param>
/// <param name="Service">The port of the slow service.</param>
/// <param name="Memory">The file that they share.</param>
/// <param name="Number">Which worker it is; one that takes the place of another has its number.</param>
/// <param name="Workers">How many there are.</param>
/// <param name="Cache">Which cache.</param>
internal sealed record WorkerSettings(int Port, int Service, string Memory, int Number, int Workers, CacheKind Cache);
