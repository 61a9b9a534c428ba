using System.Diagnostics;

namespace ShmAlloc.ProcessTests;

/// <summary>Launchers that put a worker into namespaces of its own; as an ordinary user by way of a user namespace.</summary>
internal static class Namespaces
{
    private static readonly string[] AsUser = Environment.IsPrivilegedProcess ? [] : ["--user", "--map-root-user"];

    /// <summary>Its process id is 1. Killing the launcher kills it too.</summary>
    internal static string[] OwnProcessIds { get; } = ["unshare", .. AsUser, "--pid", "--fork", "--mount-proc", "--kill-child", "--"];

    /// <summary>It is root there, and the same user as before outside. Killing the launcher is killing it.</summary>
    internal static string[] OwnUsers { get; } = ["unshare", "--user", "--map-root-user", "--"];

    /// <summary>What it mounts, nobody else sees, and it is gone with the process.</summary>
    internal static string[] OwnMounts { get; } = ["unshare", .. AsUser, "--mount", "--"];

    /// <summary>Skips the test where the kernel, or who runs it, does not permit a launcher.</summary>
    internal static void SkipUnlessPermitted(string[] launcher)
    {
        using var probe = Process.Start(new ProcessStartInfo(launcher[0], [.. launcher[1..], "true"]) { RedirectStandardError = true })!;
        var reason = probe.StandardError.ReadToEnd();
        probe.WaitForExit();
        Assert.SkipUnless(probe.ExitCode == 0, $"'{string.Join(' ', launcher)}' is not permitted here: {reason.Trim()}");
    }
}
