using System.Diagnostics.CodeAnalysis;

namespace ShmAlloc.Extensions.Caching;

/// <summary>Where a cache in shared memory lies, how large it is, and what becomes of the application if it cannot be had.</summary>
/// <remarks>
/// Processes share a cache if they come to the same file. By default these are the processes of one application: the same application name, environment
/// name and content root. Two applications share one if both give the same <see cref="Name"/> or the same <see cref="Path"/>.
/// </remarks>
/// <example>
/// <code>
/// builder.Services.AddDistributedSharedMemoryCache(options =>
/// {
///     options.Name = "shop";
///     options.MaximumSizeBytes = 512L &lt;&lt; 20;
/// });
/// </code>
/// </example>
public sealed class SharedMemoryCacheOptions
{
    /// <summary>The name of the file without its directory: who gives the same one shares it. <see langword="null"/>: one for this application.</summary>
    public string? Name { get; set; }

    /// <summary>The file, instead of <see cref="Directory"/> and <see cref="Name"/>. On a tmpfs, such as /dev/shm.</summary>
    public string? Path { get; set; }

    /// <summary>
    /// Where the file lies. <see langword="null"/>: /dev/shm/shmalloc-UID, which only this user may enter and which is made if there is none.
    /// </summary>
    public string? Directory { get; set; }

    /// <summary>
    /// How large the file is made, in bytes; it grows up to <see cref="MaximumSizeBytes"/> by itself. <see langword="null"/>: 16 MiB. Counts when the file is
    /// made: a file that is there is taken as it is.
    /// </summary>
    public long? SizeBytes { get; set; }

    /// <summary>
    /// How large the file may grow, in bytes. <see langword="null"/>: the least of 1 GiB, an eighth of the memory that the process may use, and half of what is
    /// free in the file system. Counts when the file is made.
    /// </summary>
    public long? MaximumSizeBytes { get; set; }

    /// <summary>Who may open the file. By default its owner only (0600).</summary>
    public UnixFileMode FileMode { get; set; } = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Whether a file may be used that another user owns. Whoever may write it is trusted completely.</summary>
    public bool AllowForeignOwner { get; set; }

    /// <summary>How many processes may use the file at once. <see langword="null"/>: 128. Counts when the file is made.</summary>
    public int? MaxParticipants { get; set; }

    /// <summary>How many entries the index has room for. <see langword="null"/>: as many as suit the size of the file.</summary>
    public long? Capacity { get; set; }

    /// <summary>Bytes that the entries of this cache may take. <see langword="null"/>: as many as there is room for.</summary>
    public long? LimitBytes { get; set; }

    /// <summary>Whether each value has a checksum, which every read looks at.</summary>
    public bool Checksums { get; set; }

    /// <summary>
    /// Generations of tags: tags that share one are removed together, which costs hits and is never wrong. <see langword="null"/>: as many as suit the size
    /// of the file.
    /// </summary>
    public int? TagSlots { get; set; }

    /// <summary>Comes before each key: applications that share a file and have the same prefix share their entries.</summary>
    public string KeyPrefix { get; set; } = "";

    /// <summary>A part of the key space as well: with another one, such as that of a new deployment, nothing is found that was stored before.</summary>
    public string Generation { get; set; } = "";

    /// <summary>
    /// What happens when the file cannot be made or opened for a reason that may pass: no room, no permission, no free participant slot. What is configured
    /// wrongly throws when the host starts, in any case.
    /// </summary>
    public SharedMemoryUnavailable WhenUnavailable { get; set; } = SharedMemoryUnavailable.Bypass;

    /// <summary>
    /// Whether a removal returns although it could not be done, as long as the cache is not available. Without it, it throws: an answer that others still
    /// have is never removed silently.
    /// </summary>
    public bool IgnoreFailedInvalidations { get; set; }

    /// <summary>
    /// Whether the cache lies in memory of this process alone, and in no file that another one could open: for tests. Then its clock is the
    /// <see cref="TimeProvider"/> of the service provider, if there is one.
    /// </summary>
    public bool InProcess { get; set; }

    /// <summary>Whether this platform can have shared memory: told otherwise in tests, of the calls of one of them.</summary>
    internal static AsyncLocal<bool?> IsSupportedOverride { get; } = new();

    internal static bool IsSupported => IsSupportedOverride.Value ?? OperatingSystem.IsLinux();

    /// <summary>Which of the two are the same file.</summary>
    [SuppressMessage("Style", "IDE0046", Justification = "Three cases.")]
    internal string? WhyInvalid()
    {
        if (Path != null && (Name != null || Directory != null))
        {
            return $"{nameof(Path)} says all of it: leave out {nameof(Name)} and {nameof(Directory)}.";
        }

        if (Path is { Length: 0 } || Name is { Length: 0 } || Directory is { Length: 0 })
        {
            return $"{nameof(Path)}, {nameof(Name)} and {nameof(Directory)} are not empty: leave out what the default is right for.";
        }

        if (Name != null && (Name.AsSpan().ContainsAny('/', '\0') || Name is "." or ".."))
        {
            return $"{nameof(Name)} is \"{Name}\", and must be the name of a file without a directory: to choose the directory, set {nameof(Directory)} or "
                + $"{nameof(Path)}.";
        }

        if (Path != null && !System.IO.Path.IsPathRooted(Path))
        {
            return $"{nameof(Path)} is \"{Path}\", and must be absolute, such as /dev/shm/shop.shm: processes may have different working directories.";
        }

        if (SizeBytes <= 0 || MaximumSizeBytes <= 0 || LimitBytes <= 0 || Capacity <= 0 || TagSlots <= 0 || MaxParticipants <= 0)
        {
            return "Sizes and numbers are positive: leave out what the default is right for.";
        }

        if (SizeBytes > MaximumSizeBytes)
        {
            return $"{nameof(SizeBytes)} is {SizeBytes}, which is more than {nameof(MaximumSizeBytes)}, {MaximumSizeBytes}.";
        }

        return KeyPrefix == null || Generation == null ? $"{nameof(KeyPrefix)} and {nameof(Generation)} may be empty, but not null." : null;
    }
}

/// <summary>What becomes of a cache whose shared memory cannot be had.</summary>
public enum SharedMemoryUnavailable
{
    /// <summary>The application starts and runs without it: gets miss, and it is tried again every 30 seconds. The health check says <c>Degraded</c>.</summary>
    Bypass,

    /// <summary>The host does not start.</summary>
    Throw,
}
