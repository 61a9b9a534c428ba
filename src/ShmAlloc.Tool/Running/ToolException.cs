namespace ShmAlloc.Tool.Running;

/// <summary>Ends a verb with a sentence for the user.</summary>
internal sealed class ToolException(ExitCode code, string message) : Exception(message)
{
    internal ExitCode Code { get; } = code;
}
