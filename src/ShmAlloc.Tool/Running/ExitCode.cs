namespace ShmAlloc.Tool.Running;

/// <summary>How a run ended: a sum, as that of fsck.</summary>
[Flags]
internal enum ExitCode
{
    Fine = 0,

    /// <summary>The answer is no: there is no such key, no heap was found. Or what was wrong has been put right.</summary>
    No = 1,

    /// <summary>Something is wrong, and stays so.</summary>
    Wrong = 4,

    /// <summary>It could not be done.</summary>
    Failed = 8,

    /// <summary>It was asked for in a way that makes no sense.</summary>
    Usage = 16,

    /// <summary>Somebody ended it before it had done all.</summary>
    Interrupted = 32,
}
