namespace ShmAlloc.ProcessTests;

/// <summary>A worker did not do what the test expected of it. The message holds what it wrote to its error output.</summary>
public sealed class WorkerException(string message) : Exception(message);
