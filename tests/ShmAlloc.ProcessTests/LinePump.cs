namespace ShmAlloc.ProcessTests;

/// <summary>
/// Hands on each line of a stream as it arrives. It has a thread of its own, because a read from a pipe blocks one, and
/// the few threads of a small machine's pool would soon all wait for workers.
/// </summary>
internal sealed class LinePump
{
    private readonly Thread _thread;

    private LinePump(TextReader reader, Action<string> onLine, Action onEnd) => _thread = new Thread(() => Run(reader, onLine, onEnd)) { IsBackground = true };

    public static LinePump Start(TextReader reader, Action<string> onLine, Action onEnd)
    {
        var pump = new LinePump(reader, onLine, onEnd);
        pump._thread.Start();
        return pump;
    }

    /// <summary>Waits until the stream has ended and every line of it was handed on.</summary>
    /// <returns>Whether that was so within the time.</returns>
    public bool WaitForEnd(TimeSpan timeout) => _thread.Join(timeout);

    private static void Run(TextReader reader, Action<string> onLine, Action onEnd)
    {
        try
        {
            while (reader.ReadLine() is { } line)
            {
                onLine(line);
            }
        }
        catch (Exception exception) when (exception is IOException or ObjectDisposedException)
        {
            // The stream was closed under the read: that is its end too.
        }

        onEnd();
    }
}
