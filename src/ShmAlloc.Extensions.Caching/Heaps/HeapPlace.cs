using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Hosting;
using ShmAlloc.Memory.Linux;

namespace ShmAlloc.Extensions.Caching.Heaps;

/// <summary>Which file an application's cache lies in. Sharing is meant, never an accident.</summary>
/// <param name="Path">The file.</param>
/// <param name="Identity">What the file at a default place belongs to; null if the options name it.</param>
internal sealed record HeapPlace(string Path, string? Identity)
{
    private const int HashBytes = 8;
    private const string Shared = "/dev/shm";

    /// <summary>The file that the options name; by default one that only the processes of this application come to.</summary>
    /// <param name="options">The options.</param>
    /// <param name="environment">Which application it is.</param>
    /// <param name="part">Which of its caches; empty for those that have no key.</param>
    internal static HeapPlace Of(SharedMemoryCacheOptions options, IHostEnvironment? environment, string part = "")
    {
        if (options.Path != null)
        {
            return new HeapPlace(options.Path, null);
        }

        string directory = options.Directory ?? $"{Shared}/shmalloc-{Libc.EffectiveUser()}";
        return new HeapPlace(
            System.IO.Path.Combine(directory, (options.Name ?? NameOf(environment, part)) + ".shm"),
            options.Name == null ? IdentityOf(environment, part) : null);
    }

    /// <summary>What tells an application from others.</summary>
    private static string IdentityOf(IHostEnvironment? environment, string part) =>
        $"{ApplicationOf(environment)}\0{environment?.EnvironmentName}\0{RootOf(environment)}\0{part}";

    /// <summary>One directory in one form, with or without a separator at its end.</summary>
    private static string RootOf(IHostEnvironment? environment) =>
        System.IO.Path.TrimEndingDirectorySeparator(System.IO.Path.GetFullPath(environment?.ContentRootPath ?? AppContext.BaseDirectory));

    private static string ApplicationOf(IHostEnvironment? environment) =>
        environment?.ApplicationName is { Length: > 0 } given ? given : AppDomain.CurrentDomain.FriendlyName;

    /// <summary>Makes the default directory, for this user alone. One that is there must be this user's, and nobody else's to write.</summary>
    /// <exception cref="ShmException">Another user could put files into it.</exception>
    internal static void MakeDirectory(SharedMemoryCacheOptions options)
    {
        if (options.Path != null || options.Directory != null || !OperatingSystem.IsLinux())
        {
            return;
        }

        // Made with its mode in one step; if it is there, another user may have made it, or this one with other rights.
        uint user = Libc.EffectiveUser();
        string directory = $"{Shared}/shmalloc-{user}";
        Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        CheckDirectory(directory, user);
    }

    /// <summary>Looks at what lies at a path, and not at what a link there leads to.</summary>
    /// <exception cref="ShmException">It is no directory, not that user's, or others may write to it.</exception>
    internal static unsafe void CheckDirectory(string directory, uint user)
    {
        FileStatus status;
        fixed (byte* path = Encoding.UTF8.GetBytes(directory + '\0'))
        {
            if (!FileStatus.TryReadAt(path, out status))
            {
                throw Refused(directory, $"cannot be looked at: {Marshal.GetPInvokeErrorMessage(Libc.Error)}");
            }
        }

        string? reason = !status.IsDirectory ? "is a link, or no directory"
            : status.Owner != user ? $"belongs to user {status.Owner}, and not to {user}"
            : ((UnixFileMode)status.Permissions & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) != 0 ? "may be written to by others"
            : null;
        if (reason != null)
        {
            throw Refused(directory, reason);
        }
    }

    private static ShmException Refused(string directory, string reason) => new(
        ShmFailure.AccessDenied, $"The directory {directory} {reason}: remove it, or set {nameof(SharedMemoryCacheOptions.Directory)}.");

    /// <summary>The application's name, for people, and a hash of what tells it from others: as data protection tells applications apart.</summary>
    internal static string NameOf(IHostEnvironment? environment, string part)
    {
        string hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(IdentityOf(environment, part))).AsSpan(0, HashBytes));
        return $"{new string([.. ApplicationOf(environment).Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' ? c : '_')])}-{hash}";
    }
}
