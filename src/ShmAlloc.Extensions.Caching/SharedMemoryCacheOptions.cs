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
    /// <summary>The least <see cref="MaximumSizeBytes"/>: less has no room for an index and the table of tags.</summary>
    private const long FewestBytes = 1 << 20;

    private const UnixFileMode ReadAndWrite = UnixFileMode.UserRead | UnixFileMode.UserWrite
        | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    private const int MostParticipants = 65_535;
    private const int MostTagSlots = 1 << 24;
    internal const long FewestEntries = 14;
    private const long MostEntries = 30_000_000_000;

    /// <summary>
    /// The name of the file without its directory: applications that give the same one share it. <see langword="null"/>: one for this application.
    /// </summary>
    public string? Name { get; set; }

    /// <summary>The file, instead of <see cref="Directory"/> and <see cref="Name"/>. On a tmpfs, such as /dev/shm.</summary>
    public string? Path { get; set; }

    /// <summary>
    /// Where the file lies: an absolute path. <see langword="null"/>: /dev/shm/shmalloc-UID, which only this user may enter and which is made if there is none.
    /// If it belongs to another user, is a link, or others may write to it, it is not used.
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

    /// <summary>
    /// Who may open the file: its owner must be able to read and write it. By default its owner only (0600). In configuration, either names, such as
    /// <c>"UserRead, UserWrite, GroupRead, GroupWrite"</c>, or the digits as <c>chmod</c> has them, <c>"0660"</c>.
    /// </summary>
    public UnixFileMode FileMode
    {
        get => _fileMode;

        // A binder of configuration reads "0660" as a decimal number. None of these numbers is a mode that a file of values could have: they are all sticky.
        set => _fileMode = (int)value is >= 600 and <= 666 and var digits && digits / 10 % 10 <= 6 && digits % 10 <= 6
            ? (UnixFileMode)((digits / 100 * 64) + (digits / 10 % 10 * 8) + (digits % 10))
            : value;
    }

    private UnixFileMode _fileMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Whether a file may be used that another user owns. All users who may write it are trusted completely.</summary>
    public bool AllowForeignOwner { get; set; }

    /// <summary>How many processes may use the file at once. <see langword="null"/>: 128. Counts when the file is made.</summary>
    public int? MaxParticipants { get; set; }

    /// <summary>
    /// How many entries the index has room for. <see langword="null"/>: one for each KiB of <see cref="MaximumSizeBytes"/>, or for each 128 bytes of
    /// <see cref="LimitBytes"/> if these are fewer. Each costs 9 bytes, at once. A cache that is there is taken as it is.
    /// </summary>
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

    /// <summary>
    /// Bytes that the objects may take which <c>HybridCache</c> keeps in this process, estimated from the length of their serialized form: an object counts
    /// about twice that. 0: it keeps none. <see langword="null"/>: 64 MiB. There are at most 262,144 objects in any case.
    /// </summary>
    public long? LocalCacheLimitBytes { get; set; }

    /// <summary>Comes before each key: applications that share a file and have the same prefix share their entries.</summary>
    public string KeyPrefix { get; set; } = "";

    /// <summary>A part of the key space as well: with another one, such as that of a new deployment, nothing is found that was stored before.</summary>
    public string Generation { get; set; } = "";

    /// <summary>
    /// Whether <c>HybridCache</c> reads objects that another build of the application has written. Without it, a value counts as missing if the assembly of its
    /// type, or of what the type holds, was built anew: a renamed property is never read as <see langword="null"/>. Two builds that run side by side then work
    /// out objects for themselves. Set it if the serializers read what other builds write. Texts, numbers, times, bytes, and collections of these are always
    /// shared.
    /// </summary>
    public bool SharesAcrossBuilds { get; set; }

    /// <summary>
    /// Whether <c>HybridCache</c> in shared memory takes the place of a second level that is registered as <c>IDistributedCache</c>, such as Redis, which it
    /// does not use. Without it, the host does not start then. Hosts that shared values through that one no longer do.
    /// </summary>
    public bool ReplaceDistributedCache { get; set; }

    /// <summary>
    /// Whether a file that a version of this library with another layout has made is deleted, once no process is attached to it, and made anew: all that is in
    /// it goes. By default only where this package has chosen the file's name, or <see cref="Name"/>; at a <see cref="Path"/> the application runs without
    /// shared memory until the file is deleted.
    /// </summary>
    public bool? ReplacesOutdatedFile { get; set; }

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

    /// <summary>What is wrong with them; null if nothing is.</summary>
    [SuppressMessage("Style", "IDE0046", Justification = "A list of cases.")]
    internal string? WhyInvalid()
    {
        if (Path != null && (Name != null || Directory != null))
        {
            return $"{nameof(Path)} is \"{Path}\", and says all of it: leave out {nameof(Name)} and {nameof(Directory)} "
                + $"({(Name != null ? $"{nameof(Name)} is \"{Name}\"" : $"{nameof(Directory)} is \"{Directory}\"")}; code and configuration count alike).";
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

        if (Directory != null && !System.IO.Path.IsPathRooted(Directory))
        {
            return $"{nameof(Directory)} is \"{Directory}\", and must be absolute, such as /dev/shm/shop: processes may have different working directories.";
        }

        if (SizeBytes <= 0 || MaximumSizeBytes <= 0 || LimitBytes <= 0 || Capacity <= 0 || TagSlots <= 0 || MaxParticipants <= 0)
        {
            return $"Sizes and numbers are positive: leave out what the default is right for. ({nameof(SizeBytes)} {SizeBytes}, {nameof(MaximumSizeBytes)} "
                + $"{MaximumSizeBytes}, {nameof(LimitBytes)} {LimitBytes}, {nameof(Capacity)} {Capacity}, {nameof(TagSlots)} {TagSlots}, "
                + $"{nameof(MaxParticipants)} {MaxParticipants}.)";
        }

        if (SizeBytes > MaximumSizeBytes)
        {
            return $"{nameof(SizeBytes)} is {SizeBytes}, which is more than {nameof(MaximumSizeBytes)}, {MaximumSizeBytes}.";
        }

        if (MaximumSizeBytes < FewestBytes)
        {
            return $"{nameof(MaximumSizeBytes)} is {MaximumSizeBytes} bytes; at least {FewestBytes} are needed. It is in bytes: 512 MiB is 536870912.";
        }

        if (KeyPrefix == null || Generation == null)
        {
            return $"{nameof(KeyPrefix)} and {nameof(Generation)} may be empty, but not null.";
        }

        const UnixFileMode owners = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        return (FileMode & owners) != owners || (FileMode & ~ReadAndWrite) != 0
            ? $"{nameof(FileMode)} is {FileMode}, and must let the owner read and write, and let nobody do more than that: such as 0600 or 0660."
            : WhyOutOfRange();
    }

    /// <summary>
    /// What the core refuses when it makes a file or a cache: also where one is there already, and would be used as it is until it has to be made anew.
    /// </summary>
    private string? WhyOutOfRange() =>
        MaxParticipants > MostParticipants ? $"{nameof(MaxParticipants)} is {MaxParticipants}, and {MostParticipants} are possible."
        : TagSlots > MostTagSlots ? $"{nameof(TagSlots)} is {TagSlots}, and {MostTagSlots} are possible."
        : Capacity is < FewestEntries or > MostEntries ? $"{nameof(Capacity)} is {Capacity}, and must be {FewestEntries} to {MostEntries}."
        : LocalCacheLimitBytes < 0 ? $"{nameof(LocalCacheLimitBytes)} is {LocalCacheLimitBytes}, and may be 0, but not less."
        : null;

    /// <summary>What can be set, by name: to compare what several delegates have made of it.</summary>
    internal IEnumerable<(string Name, object? Value)> Settings =>
    [
        (nameof(Name), Name), (nameof(Path), Path), (nameof(Directory), Directory), (nameof(SizeBytes), SizeBytes),
        (nameof(MaximumSizeBytes), MaximumSizeBytes), (nameof(FileMode), FileMode), (nameof(AllowForeignOwner), AllowForeignOwner),
        (nameof(MaxParticipants), MaxParticipants), (nameof(Capacity), Capacity), (nameof(LimitBytes), LimitBytes), (nameof(Checksums), Checksums),
        (nameof(TagSlots), TagSlots), (nameof(LocalCacheLimitBytes), LocalCacheLimitBytes), (nameof(KeyPrefix), KeyPrefix), (nameof(Generation), Generation),
        (nameof(SharesAcrossBuilds), SharesAcrossBuilds), (nameof(ReplaceDistributedCache), ReplaceDistributedCache),
        (nameof(WhenUnavailable), WhenUnavailable),
        (nameof(IgnoreFailedInvalidations), IgnoreFailedInvalidations), (nameof(InProcess), InProcess),
    ];
}

/// <summary>What becomes of a cache whose shared memory cannot be had.</summary>
public enum SharedMemoryUnavailable
{
    /// <summary>The application starts and runs without it: gets miss, and it is tried again every 30 seconds. The health check says <c>Degraded</c>.</summary>
    Bypass,

    /// <summary>The host does not start.</summary>
    Throw,
}
