using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;

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
        ["refuse-rename"] = (_, _) => Refuse("renameat2", x64: 316, arm64: 276),
        ["refuse-unlink"] = (_, _) => RefuseUnlink(),
        ["refuse-fallocate"] = (_, _) => Refuse("fallocate", x64: 285, arm64: 47),
        ["refuse-statfs"] = (_, _) => Refuse("fstatfs", x64: 138, arm64: 44),
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
        SystemCalls.Refuse(ByArchitecture(x64: 257, arm64: 56), flags, temporaryFile, SystemCalls.UnsupportedOperation);
        return "refusing";
    }

    /// <summary>Some C libraries have one system call for it, some the other.</summary>
    private static string RefuseUnlink()
    {
        Refuse("unlinkat", x64: 263, arm64: 35);
        return RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "refusing unlink" : Refuse("unlink", x64: 87, arm64: 0);
    }

    private static string Refuse(string name, uint x64, uint arm64)
    {
        SystemCalls.Refuse(ByArchitecture(x64, arm64), 0, 0, SystemCalls.UnsupportedOperation);
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
            SystemCalls.Refuse(ByArchitecture(x64: 285, arm64: 47), lengthArgument, shift == 0 ? 0 : 1u << bit, interrupted);
            bit = shift == 0 ? 31 : bit;
        }

        return "interrupting";
    }

    private static uint ByArchitecture(uint x64, uint arm64) => RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? arm64 : x64;
}
