using System.Text;
using ShmAlloc.Allocation;
using ShmAlloc.Disposal;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Memory.Linux;
using ShmAlloc.Participants;

namespace ShmAlloc;

/// <content>Creating and attaching.</content>
public sealed unsafe partial class ShmHeap
{
    /// <summary>
    /// The environment variable that names the heap when no path is given. In a program that runs with more rights than who started it (setuid, setgid, file
    /// capabilities) it does not count as set.
    /// </summary>
    public const string PathVariable = "SHM_FILE";

    private const int MaxPathBytes = 4000;

    /// <summary>Creates a heap and attaches it. Either the whole heap appears under the path, or nothing does.</summary>
    /// <param name="path">Where; <see langword="null"/>: the value of <c>SHM_FILE</c>. Best on tmpfs, for example <c>/dev/shm/name</c>.</param>
    /// <param name="options">Sizes and permissions; defaults if <see langword="null"/>.</param>
    /// <returns>The heap, attached.</returns>
    /// <exception cref="ShmException">It could not be created; the reason and what to do are in it.</exception>
    public static ShmHeap Create(string? path = null, ShmHeapOptions? options = null) => Run(path, options, readOnly: false, CreateOnly);

    /// <summary>Attaches the heap if it exists, and creates it otherwise; any number of processes may do so at once.</summary>
    /// <param name="path">Where; <see langword="null"/>: the value of <c>SHM_FILE</c>.</param>
    /// <param name="options">For creation; an existing heap must not contradict what is given.</param>
    /// <returns>
    /// The heap, attached. If all participant slots are taken, <see cref="ParticipantSlot"/> is <see langword="null"/>, and what needs a slot reports
    /// <see cref="ShmStatus.NoParticipantSlot"/> until one is free: allocations of more than a word of the bitmap, reservations, whatever changes a cache.
    /// Reading, and most freeing, need none. <see cref="ShmHeapOptions.RequiresParticipantSlot"/> makes that an exception.
    /// </returns>
    /// <exception cref="ShmException">It could not be created or attached.</exception>
    public static ShmHeap Open(string? path = null, ShmHeapOptions? options = null) => Run(path, options, readOnly: false, OpenOrCreate);

    /// <summary>Attaches a heap that exists.</summary>
    /// <param name="path">Where; <see langword="null"/>: the value of <c>SHM_FILE</c>.</param>
    /// <param name="options">What to expect; an existing heap must not contradict what is given.</param>
    /// <returns>
    /// The heap, attached. If all participant slots are taken, what needs one reports <see cref="ShmStatus.NoParticipantSlot"/> until one is
    /// free.
    /// </returns>
    /// <exception cref="ShmException">It could not be attached.</exception>
    public static ShmHeap Attach(string? path = null, ShmHeapOptions? options = null) => Run(path, options, readOnly: false, AttachOnly);

    /// <summary>
    /// Attaches a heap that exists without the right to change anything: the memory is mapped read-only and no participant slot is taken.
    /// </summary>
    /// <param name="path">Where; <see langword="null"/>: the value of <c>SHM_FILE</c>.</param>
    /// <param name="options">What to expect.</param>
    /// <returns>The heap, attached.</returns>
    /// <exception cref="ShmException">It could not be attached.</exception>
    public static ShmHeap AttachReadOnly(string? path = null, ShmHeapOptions? options = null) => Run(path, options, readOnly: true, AttachOnly);

    /// <summary>
    /// Deletes the file of a heap of another layout version, if no process is a participant in it: so that a rolling update ends with a heap of this version.
    /// A heap of this version is never deleted.
    /// </summary>
    /// <param name="path">Where; <see langword="null"/>: the value of <c>SHM_FILE</c>.</param>
    /// <param name="options">Its <see cref="ShmHeapOptions.FileMode"/> and <see cref="ShmHeapOptions.AllowForeignOwner"/> count, as for attaching.</param>
    /// <returns>Whether it was deleted. If not: somebody uses it, it is none of another version, or it is not this user's.</returns>
    /// <remarks>
    /// Any number of processes may do so at once. One that has the file attached without a participant slot, or only reads it, is not seen:
    /// <see cref="IsFileCurrent"/> tells it.
    /// </remarks>
    public static bool TryDeleteOutdated(string? path = null, ShmHeapOptions? options = null)
    {
        path ??= PathOfEnvironment();
        byte[] bytes = Encoding.UTF8.GetBytes(MakeAbsolute(path ?? "") + '\0');
        if (bytes.Length is 1 or > MaxPathBytes || bytes.AsSpan(..^1).Contains((byte)0) || !OperatingSystem.IsLinux())
        {
            return false;
        }

        byte[] longer = new byte[bytes.Length + MaxPathBytes];
        fixed (byte* at = bytes, name = longer)
        {
            return OutdatedFile.TryDelete(at, name, Specify(options ?? new ShmHeapOptions(), readOnly: false));
        }
    }

    private delegate Failure Opening(Attachment* heap, in HeapSpecification specification);

    private static ShmHeap Run(string? path, ShmHeapOptions? options, bool readOnly, Opening opening)
    {
        path ??= PathOfEnvironment();
        byte[] bytes = Encoding.UTF8.GetBytes(MakeAbsolute(path ?? ""));
        if (bytes.Length is 0 or > MaxPathBytes || bytes.Contains((byte)0))
        {
            throw FailureText.ToException(Failure.Of(ShmFailure.NoPath), path ?? "");
        }

        if (!OperatingSystem.IsLinux() || !Environment.Is64BitProcess || !BitConverter.IsLittleEndian)
        {
            throw FailureText.ToException(Failure.Of(ShmFailure.UnsupportedPlatform), path!);
        }

        RetiredAttachment.GiveBackAll();
        HeapSpecification specification = Specify(options ?? new ShmHeapOptions(), readOnly);
        Attachment* heap = Mapping.AllocatePrivate(bytes, Environment.ProcessorCount);
        if (heap == null)
        {
            throw FailureText.ToException(Failure.OfCall(SystemCall.Mmap, Libc.Error), path!);
        }

        heap->ProcessId = (uint)Environment.ProcessId;
        Failure failure = opening(heap, specification);
        if (!failure.IsNone)
        {
            Mapping.Free(heap);
            throw FailureText.ToException(failure, path!);
        }

        if (!readOnly)
        {
            // Without a slot the heap is still good for much; whoever needs one tries again.
            Joining<Hardware>.TryJoin(heap);
            Recovery<Hardware>.RecoverDead(heap);
            TrimRounds<Hardware>.LookWithCell(heap);
        }

        ShmHeap attached = new(heap, path!);
        if (!readOnly && options is { RequiresParticipantSlot: true } && attached.ParticipantSlot == null)
        {
            attached.Dispose();
            throw FailureText.ToException(Failure.Of(ShmFailure.AllSlotsTaken), path!);
        }

        return attached;
    }

    private static string? PathOfEnvironment() =>
        OperatingSystem.IsLinux() && Libc.IsPrivileged ? null : Environment.GetEnvironmentVariable(PathVariable);

    /// <summary>The file is needed again later, when the process may have another directory. Nothing is resolved: symbolic links are the kernel's.</summary>
    private static string MakeAbsolute(string path) =>
        path.Length == 0 || path[0] == '/' ? path : string.Concat(Environment.CurrentDirectory, "/", path);

    private static Failure CreateOnly(Attachment* heap, in HeapSpecification specification) => HeapFile.Create(heap, specification);

    private static Failure OpenOrCreate(Attachment* heap, in HeapSpecification specification) => HeapFile.Open(heap, specification, specification);

    private static Failure AttachOnly(Attachment* heap, in HeapSpecification specification) => HeapFile.Attach(heap, specification);

    private static HeapSpecification Specify(ShmHeapOptions options, bool readOnly) => new()
    {
        UnitBytes = Positive(options.UnitBytes, nameof(options.UnitBytes)),
        LargestAllocationBytes = Positive(options.LargestAllocationBytes, nameof(options.LargestAllocationBytes)),
        BlockBytes = Positive(options.BlockBytes, nameof(options.BlockBytes)),
        SizeBytes = Positive(options.SizeBytes, nameof(options.SizeBytes)),
        MaximumSizeBytes = Positive(options.MaximumSizeBytes, nameof(options.MaximumSizeBytes)),
        Participants = Positive(options.MaxParticipants, nameof(options.MaxParticipants)),
        Mode = (uint)options.FileMode,
        AllowForeignOwner = options.AllowForeignOwner,
        AllowCopy = options.AllowCopy,
        ReadOnly = readOnly,
        TrimAfter = Milliseconds(options.TrimAfter, nameof(options.TrimAfter)),
    };

    /// <summary>0 is never.</summary>
    private static ulong Milliseconds(TimeSpan? span, string name) => span switch
    {
        null => HeapSpecification.DefaultTrimAfter,
        { } infinite when infinite == Timeout.InfiniteTimeSpan => 0,
        { } positive when positive > TimeSpan.Zero => (ulong)Math.Ceiling(positive.TotalMilliseconds),
        _ => throw new ArgumentOutOfRangeException(name, span, "Must be positive, or Timeout.InfiniteTimeSpan; leave it null for the default."),
    };

    private static ulong Positive(long? value, string name) => value switch
    {
        null => 0,
        <= 0 => throw new ArgumentOutOfRangeException(name, value, "Must be positive; leave it null for the default."),
        _ => (ulong)value,
    };
}
