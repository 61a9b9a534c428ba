namespace ShmAlloc.TestSupport;

/// <summary>
/// How long a test waits for what must come: so long that only what hangs ever meets it, on however busy a machine. Nothing is measured with it.
/// </summary>
public static class Patience
{
    /// <summary>For one step of another process.</summary>
    public static readonly TimeSpan ForAStep = TimeSpan.FromMinutes(5);

    /// <summary>For a program that does all of its work in one go.</summary>
    public static readonly TimeSpan ForAProgram = TimeSpan.FromMinutes(Effort.Choose(15, 45, 300));
}
