using Microsoft.Win32.SafeHandles;

namespace ShmAlloc.ProcessTests.Worker;

/// <summary>
/// <c>heap</c>: does what each line of its input says, a verb and its arguments, and answers each with one line. New verbs go into the
/// table of the file that their idea belongs to.
/// </summary>
internal static class HeapCommand
{
    internal delegate string Verb(HeapSession session, string[] arguments);

    private static readonly Dictionary<string, Verb> Verbs =
        new(
        [
            .. AttachVerbs.All, .. MemoryVerbs.All, .. ReservationVerbs.All, .. BulkVerbs.All, .. CrowdVerbs.All, .. InspectionVerbs.All, .. HostVerbs.All,
            .. FileSystemVerbs.All, .. LimitVerbs.All, .. CacheVerbs.All,
        ],
        StringComparer.Ordinal);

    internal static int Run(string[] arguments)
    {
        // The console works on duplicates of the standard streams, which would not survive the verb that closes descriptors.
        Console.SetIn(new StreamReader(Stream(0, FileAccess.Read)));
        Console.SetOut(new StreamWriter(Stream(1, FileAccess.Write)) { AutoFlush = true });
        var session = new HeapSession();
        Console.WriteLine("ready");
        while (Console.ReadLine() is { } line)
        {
            var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            Console.WriteLine(Answer(session, words));
        }

        return 0;
    }

    private static FileStream Stream(int descriptor, FileAccess access) => new(new SafeFileHandle(descriptor, ownsHandle: false), access);

    private static string Answer(HeapSession session, string[] words)
    {
        try
        {
            return words is [var name, .. var rest] && Verbs.TryGetValue(name, out var verb) ? verb(session, rest) : "unknown verb";
        }
        catch (ShmException exception)
        {
            session.FailureText = exception.Message;
            return $"failed {exception.Reason}";
        }
        catch (Exception exception)
        {
            return $"exception {exception.GetType().Name}: {exception.Message}".ReplaceLineEndings(" ");
        }
    }
}
