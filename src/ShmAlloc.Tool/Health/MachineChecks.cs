using System.Globalization;
using ShmAlloc.Tool.Heaps;
using ShmAlloc.Tool.Output;
using ShmAlloc.Tool.Running;

namespace ShmAlloc.Tool.Health;

/// <summary>What of the machine a heap depends on.</summary>
internal static class MachineChecks
{
    private const long SizeInContainers = 64L << 20;
    private const double Scarce = 0.1;
    private const int LastSystemUser = 999;

    /// <summary>The file system of a directory.</summary>
    internal static IEnumerable<Finding> OfFileSystem(Surroundings surroundings, string directory)
    {
        if (Mounts.Find(directory, surroundings.Processes) is not { } mount)
        {
            yield return new Finding(Urgency.Look, "file system", $"what is mounted cannot be seen: {surroundings.Processes}/self/mounts is not there");
            yield break;
        }

        (Urgency urgency, string remark) = mount.Type switch
        {
            "tmpfs" or "ext4" or "xfs" => (Urgency.Fine, ""),
            "btrfs" => (Urgency.Look, "; heaps need the attribute C, which new ones get"),
            "overlay" => (Urgency.Look, "; a heap belongs into a volume, not into a container's own layer"),
            "nfs" or "nfs4" or "cifs" or "ceph" or "9p" => (Urgency.Act, "; there is no shared memory between machines: put heaps into /dev/shm"),
            _ => (Urgency.Look, "; it was not tried: tmpfs (/dev/shm) is the best place"),
        };
        (long size, long free) = surroundings.SpaceOf(directory);
        bool isScarce = size > 0 && free < size * Scarce;
        yield return new Finding(
            isScarce && urgency == Urgency.Fine ? Urgency.Look : urgency,
            "file system",
            $"{mount.Type} at {mount.Point}, {Figures.Bytes(size - free)} of {Figures.Bytes(size)} used{remark}"
                + (isScarce ? "; what is left is scarce: heaps cannot grow" : ""));
        if (mount.Type == "tmpfs" && size is > 0 and <= SizeInContainers)
        {
            yield return new Finding(
                Urgency.Look,
                "container",
                "64 MiB is what containers get without asking: --shm-size=1g, or shm_size in compose, or an emptyDir of medium Memory");
        }
    }

    /// <summary>What this process's control group may use, beside what a heap may still grow by.</summary>
    internal static Finding OfMemoryLimit(Surroundings surroundings, long mayGrowBytes)
    {
        string group = ProcessFiles.Lines(Path.Combine(surroundings.Processes, "self/cgroup"))
            .FirstOrDefault(line => line.StartsWith("0::", StringComparison.Ordinal))?[3..].Trim('/') ?? "";
        long? least = null;
        string where = "";
        for (string path = group; ; path = Path.GetDirectoryName(path) ?? "")
        {
            string? text = ProcessFiles.TryRead(Path.Combine(surroundings.ControlGroups, path, "memory.max"))?.Trim();
            if (long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long most) && (least == null || most < least))
            {
                (least, where) = (most, path);
            }

            if (path.Length == 0)
            {
                break;
            }
        }

        return least is not { } limit ? new Finding(Urgency.Fine, "memory limit", "none is set for this control group")
            : mayGrowBytes > limit ? new Finding(
                Urgency.Look,
                "memory limit",
                $"memory.max is {Figures.Bytes(limit)} ({where}), and the heap may grow by {Figures.Bytes(mayGrowBytes)}: "
                    + "pages of tmpfs count for the process that touches them first")
            : new Finding(Urgency.Fine, "memory limit", $"memory.max is {Figures.Bytes(limit)} ({where})");
    }

    /// <summary>Whether what is in /dev/shm goes when its owner's last session ends.</summary>
    internal static Finding OfSessions(Surroundings surroundings, string path, uint owner)
    {
        bool isThere = path.StartsWith("/dev/shm/", StringComparison.Ordinal) || path.StartsWith(surroundings.SharedMemory + "/", StringComparison.Ordinal);
        string[] settings = ProcessFiles.Lines(Path.Combine(surroundings.Configuration, "systemd/logind.conf"));
        bool hasSystemd = settings.Length > 0;
        const string name = "RemoveIPC=";
        string? setting = settings.Select(line => line.Trim()).LastOrDefault(line => line.StartsWith(name, StringComparison.Ordinal));
        string removes = setting?[name.Length..] ?? "yes";
        bool isOn = removes is "yes" or "true" or "1" or "on";
        return !isThere || !hasSystemd || !isOn || owner <= LastSystemUser
            ? new Finding(Urgency.Fine, "RemoveIPC", !hasSystemd ? "no systemd-logind here" : !isOn ? "no" : "yes, and this file is not concerned")
            : new Finding(
                Urgency.Look,
                "RemoveIPC",
                $"yes, and {Users.NameOf(owner, surroundings.Configuration)} is no system user: its files of /dev/shm go when its last session "
                    + "ends. RemoveIPC=no, or a system user");
    }

    /// <summary>The clock that heaps go by.</summary>
    internal static Finding OfTime(Surroundings surroundings)
    {
        string[] lines = ProcessFiles.Lines(Path.Combine(surroundings.Processes, "self/timens_offsets"));
        bool isShifted = lines.Any(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries).Skip(1).Any(word => word != "0"));
        return isShifted
            ? new Finding(Urgency.Look, "time", "this is a time namespace of its own: heaps allow for it, but other clocks here differ from the host's")
            : new Finding(Urgency.Fine, "time", "no time namespace");
    }

    /// <summary>Whether we can see what other processes have mapped.</summary>
    internal static Finding OfVisibility(Surroundings surroundings, int hidden)
    {
        string options = Mounts.Find(surroundings.Processes, surroundings.Processes)?.Options ?? "";
        bool hides = options.Split(',').Any(option => option.StartsWith("hidepid=", StringComparison.Ordinal) && option is not ("hidepid=0" or "hidepid=off"));
        return hides ? new Finding(Urgency.Look, "processes", "/proc is mounted with hidepid: run this as root to see who uses a heap")
            : hidden > 0 ? new Finding(
                Urgency.Look, "processes", $"{hidden} of others do not show us what they have mapped: with CAP_SYS_PTRACE all is visible")
            : new Finding(Urgency.Fine, "processes", "all are visible");
    }
}
