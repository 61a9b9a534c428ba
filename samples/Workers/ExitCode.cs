namespace Workers;

/// <summary>How the program ends; <c>--help</c> lists them.</summary>
internal static class ExitCode
{
    public const int Success = 0;
    public const int CheckFailed = 1;
    public const int WrongUsage = 2;

    /// <summary>128 and the number of the signal, as shells have it.</summary>
    public const int Signalled = 128;
}
