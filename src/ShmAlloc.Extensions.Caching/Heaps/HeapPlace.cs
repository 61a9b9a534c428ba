using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Hosting;

namespace ShmAlloc.Extensions.Caching.Heaps;

/// <summary>Which file an application's cache lies in. Sharing is meant, never an accident.</summary>
internal static class HeapPlace
{
    private const int HashBytes = 8;
    private const string Shared = "/dev/shm";

    /// <summary>The file that the options name; by default one that only the processes of this application come to.</summary>
    internal static string PathOf(SharedMemoryCacheOptions options, IHostEnvironment? environment)
    {
        if (options.Path != null)
        {
            return options.Path;
        }

        string directory = options.Directory ?? $"{Shared}/shmalloc-{GetEffectiveUserId()}";
        return Path.Combine(directory, (options.Name ?? NameOf(environment, "")) + ".shm");
    }

    /// <summary>Makes the default directory, for this user alone. One that is there must be his and nobody else's to write.</summary>
    internal static void MakeDirectory(SharedMemoryCacheOptions options)
    {
        if (options.Path != null || options.Directory != null || OperatingSystem.IsWindows())
        {
            return;
        }

        // Made with its mode in one step; if it is there, whoever made it, it is looked at below.
        string directory = $"{Shared}/shmalloc-{GetEffectiveUserId()}";
        Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        UnixFileMode mode = File.GetUnixFileMode(directory);
        bool isOthers = (mode & (UnixFileMode.GroupWrite | UnixFileMode.OtherWrite)) != 0;
        if (isOthers || new DirectoryInfo(directory).LinkTarget != null)
        {
            throw new ShmException(
                ShmFailure.AccessDenied,
                $"The directory {directory} is a link, or others may write to it: remove it, or set {nameof(SharedMemoryCacheOptions.Directory)}.");
        }
    }

    /// <summary>The application's name, for people, and a hash of what tells it from others: as data protection tells applications apart.</summary>
    internal static string NameOf(IHostEnvironment? environment, string part)
    {
        string name = environment?.ApplicationName is { Length: > 0 } given ? given : AppDomain.CurrentDomain.FriendlyName;
        string identity = $"{name}\0{environment?.EnvironmentName}\0{environment?.ContentRootPath ?? AppContext.BaseDirectory}\0{part}";
        string hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(identity)).AsSpan(0, HashBytes));
        return $"{new string([.. name.Select(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_' ? c : '_')])}-{hash}";
    }

    /// <summary>Of the four ids in that line the second one.</summary>
    private static string GetEffectiveUserId() =>
        File.ReadLines("/proc/self/status").First(line => line.StartsWith("Uid:", StringComparison.Ordinal)).Split('\t')[2];
}
