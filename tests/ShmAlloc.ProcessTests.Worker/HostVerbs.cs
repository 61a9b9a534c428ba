using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using ShmAlloc.TestSupport;

namespace ShmAlloc.ProcessTests.Worker;

/// <summary>What hosts do behind a library's back, and what the world around a process can be like.</summary>
internal static class HostVerbs
{
    internal static readonly Dictionary<string, HeapCommand.Verb> All = new(StringComparer.Ordinal)
    {
        ["process-id"] = (_, _) => Environment.ProcessId.ToString(CultureInfo.InvariantCulture),
        ["user-namespace"] = (_, _) => new FileInfo("/proc/self/ns/user").LinkTarget ?? "unknown",
        ["close-descriptors"] = (_, _) => CloseDescriptors(),
        ["open-files"] = OpenFiles,
        ["read-files"] = ReadFiles,
        ["fork"] = (_, _) => SystemCalls.ForkSleeper().ToString(CultureInfo.InvariantCulture),
        ["end-child"] = (_, words) => SystemCalls.EndChild(HeapSession.Count(words[0])) ? "ended" : "not a child",
        ["spawn"] = (_, _) => Spawn(),
        ["mount-tmpfs"] = (_, words) => MountTmpfs(words[0], words[1]),
        ["hog"] = (_, words) => Hog(words[0]),
        ["list"] = (_, words) => string.Join(' ', Directory.EnumerateFileSystemEntries(words[0]).Select(Path.GetFileName).Order()),
        ["refuse-unnamed-files"] = (_, _) => RefuseUnnamedFiles(),
        ["refuse-rename"] = (_, _) => Refuse("renameat2", SystemCallNumber.RenameAt2),
        ["refuse-unlink"] = (_, _) => RefuseUnlink(),
        ["delete"] = (_, words) => Delete(words[0]),
        ["refuse-holes"] = (_, _) => RefuseHoles(),
        ["refuse-fallocate"] = (_, words) => Refuse("fallocate", SystemCallNumber.Allocate, words.Length == 0 ? null : HeapSession.Number(words[0])),
        ["refuse-statfs"] = (_, _) => Refuse("fstatfs", SystemCallNumber.StatusOfFileSystem),
        ["interrupt-fallocate"] = (_, words) => InterruptAllocation(words.Length == 0 ? 0 : HeapSession.Count(words[0])),
    };

    /// <summary>
    /// Everything above the standard streams, as daemons do, but for the memory through which the runtime compiles code: without it, this
    /// process would not survive its next new method.
    /// </summary>
    private static string CloseDescriptors()
    {
        var closed = 0;
        foreach (var entry in Directory.GetFiles("/proc/self/fd"))
        {
            var descriptor = HeapSession.Count(Path.GetFileName(entry));
            var target = new FileInfo(entry).LinkTarget ?? "";
            if (descriptor > 2 && !target.Contains("doublemapper", StringComparison.Ordinal))
            {
                closed += SystemCalls.Close(descriptor) == 0 ? 1 : 0;
            }
        }

        return string.Create(CultureInfo.InvariantCulture, $"closed {closed}");
    }

    /// <summary>Takes the lowest numbers that are free, as every open does.</summary>
    private static string OpenFiles(HeapSession session, string[] words)
    {
        for (var count = HeapSession.Count(words[0]); count > 0; count--)
        {
            session.Files.Add(File.OpenRead("/dev/zero"));
        }

        return "opened";
    }

    private static string ReadFiles(HeapSession session, string[] words)
    {
        foreach (var file in session.Files)
        {
            file.ReadExactly(new byte[8192]);
        }

        return "all open";
    }

    private static string Spawn()
    {
        using var child = Process.Start("sleep", "1000");
        return child.Id.ToString(CultureInfo.InvariantCulture);
    }

    private static string MountTmpfs(string directory, string size)
    {
        Directory.CreateDirectory(directory);
        return SystemCalls.Mount("tmpfs", directory, "tmpfs", 0, $"size={size}") == 0 ? "mounted" : $"error {Marshal.GetLastPInvokeError()}";
    }

    /// <summary>Writes a file until the file system is full.</summary>
    private static string Hog(string path)
    {
        try
        {
            // Without a buffer, so that the error comes here and not when the file is closed.
            using var file = new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, bufferSize: 0);
            for (var bytes = new byte[4096]; ;)
            {
                file.Write(bytes);
            }
        }
        catch (IOException)
        {
            return "full";
        }
    }

    /// <summary>As on a file system without <c>O_TMPFILE</c>.</summary>
    private static string RefuseUnnamedFiles()
    {
        const uint temporaryFile = 0x40_0000;
        const uint flags = 2;
        SystemCalls.Refuse(NumberOf(SystemCallNumber.OpenAt), flags, temporaryFile, SystemCalls.UnsupportedOperation);
        return "refusing";
    }

    private static string Delete(string path)
    {
        File.Delete(path);
        return "deleted";
    }

    /// <summary>As on a file system that preallocates and cannot take it back.</summary>
    private static string RefuseHoles()
    {
        const uint punchHole = 2;
        const uint mode = 1;
        SystemCalls.Refuse(NumberOf(SystemCallNumber.Allocate), mode, punchHole, SystemCalls.UnsupportedOperation);
        return "refusing";
    }

    /// <summary>Some C libraries have one system call for it, some the other.</summary>
    private static string RefuseUnlink()
    {
        Refuse("unlinkat", SystemCallNumber.UnlinkAt);
        return SystemCallNumber.Unlink(RuntimeInformation.ProcessArchitecture) == SystemCallNumber.None
            ? "refusing unlink"
            : Refuse("unlink", SystemCallNumber.Unlink);
    }

    private static string Refuse(string name, Func<Architecture, int> number, ulong? error = null)
    {
        SystemCalls.Refuse(NumberOf(number), 0, 0, (uint?)error ?? SystemCalls.UnsupportedOperation);
        return $"refusing {name}";
    }

    /// <summary>
    /// As if a signal came whenever storage is given, and the kernel undid what it had done: every time, or with 2^<paramref name="shift"/> bytes and more.
    /// </summary>
    private static string InterruptAllocation(int shift)
    {
        const int interrupted = 4;
        const int lengthArgument = 3;
        for (var bit = shift; bit < 31; bit++)
        {
            SystemCalls.Refuse(NumberOf(SystemCallNumber.Allocate), lengthArgument, shift == 0 ? 0 : 1u << bit, interrupted);
            bit = shift == 0 ? 31 : bit;
        }

        return "interrupting";
    }

    private static uint NumberOf(Func<Architecture, int> call) => (uint)call(RuntimeInformation.ProcessArchitecture);
}
