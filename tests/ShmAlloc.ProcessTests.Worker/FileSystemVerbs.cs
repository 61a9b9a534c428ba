using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

namespace ShmAlloc.ProcessTests.Worker;

/// <summary>File systems of all kinds, and the limits of a process and of a user on them.</summary>
internal static class FileSystemVerbs
{
    internal static readonly Dictionary<string, HeapCommand.Verb> All = new(StringComparer.Ordinal)
    {
        ["run"] = (_, words) => Run(words),
        ["free-bytes"] = (_, words) => new DriveInfo(words[0]).AvailableFreeSpace.ToString(CultureInfo.InvariantCulture),
        ["fill-disk"] = (_, words) => FillDisk(words[0]),
        ["limit"] = (_, words) => Done("limited", SystemCalls.SetLimit(HeapSession.Count(words[0]), HeapSession.Number(words[1]))),
        ["use-up-descriptors"] = (_, _) => LimitDescriptors(),
        ["set-user"] = (_, words) => Done("changed", SystemCalls.SetUser((uint)HeapSession.Number(words[0]))),
        ["change-root-only"] = (_, words) => Done("changed", SystemCalls.ChangeRoot(words[0])),
        ["failure-text"] = (session, _) => session.FailureText,
        ["is-current"] = (session, _) => session.Heap.IsFileCurrent.ToString(),
    };

    /// <summary>A program, in the namespaces of this process. Answers "done", or what it said.</summary>
    private static string Run(string[] words)
    {
        using var process = Process.Start(new ProcessStartInfo(words[0], words[1..]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var errors = process.StandardError.ReadToEndAsync();
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? "done" : $"exit {process.ExitCode}: {output} {errors.Result}".ReplaceLineEndings(" ");
    }

    /// <summary>A file that takes all that is left.</summary>
    private static string FillDisk(string path)
    {
        using var file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.Write);
        long length = 0;
        for (long step = 1 << 30; step >= 4096; step /= 2)
        {
            while (SystemCalls.Allocate((int)file.DangerousGetHandle(), 0, length, step) == 0)
            {
                length += step;
            }
        }

        return "full";
    }

    /// <summary>To what is open now, so that nothing more can be opened.</summary>
    private static string LimitDescriptors()
    {
        const int descriptors = 7;
        var highest = Directory.GetFiles("/proc/self/fd").Max(entry => HeapSession.Count(Path.GetFileName(entry)));
        for (var descriptor = 0; descriptor < highest; descriptor++)
        {
            // What is free below the limit would be taken.
            _ = File.Exists($"/proc/self/fd/{descriptor}") ? null : File.OpenHandle("/dev/null");
        }

        return Done("limited", SystemCalls.SetLimit(descriptors, (ulong)highest));
    }

    private static string Done(string word, int result) =>
        result == 0 ? word : string.Create(CultureInfo.InvariantCulture, $"error {Marshal.GetLastPInvokeError()}");
}
