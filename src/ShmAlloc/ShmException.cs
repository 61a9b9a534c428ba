namespace ShmAlloc;

/// <summary>A heap could not be created or attached. The message says why and what to do; nothing was left behind.</summary>
public sealed class ShmException : IOException
{
    /// <summary>Makes an exception that says what went wrong.</summary>
    /// <param name="reason">Which check failed.</param>
    /// <param name="message">What went wrong and what to do.</param>
    public ShmException(ShmFailure reason, string message)
        : base(message) => Reason = reason;

    /// <summary>Which check failed.</summary>
    public ShmFailure Reason { get; }
}
