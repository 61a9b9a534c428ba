using System.Globalization;
using ShmAlloc.Caching;
using ShmAlloc.Inspection;
using ShmAlloc.Tool.Output;
using ShmAlloc.Tool.Running;

namespace ShmAlloc.Tool.Heaps;

/// <summary>Opens heaps, and says in a sentence why one cannot be opened and what still works.</summary>
internal static class HeapSource
{
    /// <summary>The tool looks at a file whatever its owner and mode, and shows them.</summary>
    private static readonly ShmHeapOptions ForLooking = new() { AllowForeignOwner = true, FileMode = AllModes };

    private const UnixFileMode AllModes = (UnixFileMode)0x1FF;

    /// <summary>Attaches a heap for looking: no slot is taken and nothing is written.</summary>
    /// <exception cref="ToolException">It cannot be attached.</exception>
    internal static ShmHeap Look(string path)
    {
        // What is wrong with a file is found out before anything of it is mapped.
        ShmFileReport report = ShmFile.Examine(path);
        if (report.Verdict != ShmFailure.None)
        {
            throw new ToolException(ExitCode.Failed, $"{Untrusted.Show(path, ascii: false)}: {Reason(report)}");
        }

        try
        {
            return ShmHeap.AttachReadOnly(path, ForLooking);
        }
        catch (ShmException refused)
        {
            throw new ToolException(ExitCode.Failed, Untrusted.Show(refused.Message, ascii: false));
        }
    }

    /// <summary>Attaches a heap for changing something, which takes a slot.</summary>
    /// <exception cref="ToolException">It cannot be attached, or there is no slot.</exception>
    internal static ShmHeap Change(string path, WriteOptions options)
    {
        string shown = Untrusted.Show(path, ascii: false);
        try
        {
            return ShmHeap.Attach(path, new ShmHeapOptions
            {
                AllowForeignOwner = options.AllowsForeignOwner,
                FileMode = options.Mode,
                RequiresParticipantSlot = true,
                TrimAfter = Timeout.InfiniteTimeSpan,
            });
        }
        catch (ShmException refused)
        {
            ShmFileReport report = ShmFile.Examine(path);
            string advice = refused.Reason switch
            {
                ShmFailure.AllSlotsTaken => $"{shown}: {report.Geometry?.Slots} of {report.Geometry?.Slots} slots are taken; 'shmalloc ps' shows by whom",
                ShmFailure.ForeignOwner => $"{shown}: it belongs to user {report.Owner}; --foreign says that this user is trusted",
                ShmFailure.ModeTooOpen => $"{shown}: its mode is {Octal(report.Mode)}, so others may write it; "
                    + $"--mode {Octal(report.Mode)} says that this is meant so",
                _ when report.Verdict != ShmFailure.None => $"{shown}: {Reason(report)}",
                _ => Untrusted.Show(refused.Message, ascii: false),
            };
            throw new ToolException(ExitCode.Failed, advice);
        }
    }

    /// <summary>The verdict about a file, and what still can be done with it.</summary>
    internal static string Reason(ShmFileReport report) => report.Verdict switch
    {
        ShmFailure.NotAHeap when report.FirstBytes.Length == 0 => "not a heap: it is empty",
        ShmFailure.NotAHeap when report.Layout == null => $"not a heap: begins with {Hex(report.FirstBytes.Span[..Math.Min(4, report.FirstBytes.Length)])}",
        ShmFailure.NotAHeap => $"not a heap any more: {Figures.Count(report.LengthBytes)} bytes are left of its header; 'shmalloc info' shows what can be read",
        ShmFailure.UnknownLayout => string.Create(
            CultureInfo.InvariantCulture, $"layout {report.Layout}; this tool reads {ShmFileReport.KnownLayout}. Use the shmalloc that came with its library"),
        ShmFailure.DamagedHeader => $"its header is damaged: {Damage(report)}; 'shmalloc info' shows all of it",
        ShmFailure.Truncated => $"it was cut short: {Figures.Count(report.LengthBytes)} of {Figures.Count(report.Geometry?.FileBytes ?? 0)} bytes are left",
        ShmFailure.SparseReadOnly => $"has holes, as a sparse copy has: {Figures.Count(report.BackedBytes)} bytes have storage. "
            + "Attach it once for writing, or: shmalloc reap",
        ShmFailure.LinkCount => $"has {report.Links} names, and a heap must have exactly one; 'shmalloc info' works",
        _ => report.Text,
    };

    internal static string Octal(UnixFileMode mode) => "0" + Convert.ToString((int)mode, 8);

    /// <summary>The caches to look at: those of a name, or all.</summary>
    /// <exception cref="ToolException">There is none of that name.</exception>
    internal static IReadOnlyList<SharedCache> Caches(ShmHeap heap, string? name, Surroundings surroundings)
    {
        IReadOnlyList<ShmCacheInfo> all = new ShmInspector(heap).ReadCaches();
        IReadOnlyList<ShmCacheInfo> wanted = name == null ? all : [.. all.Where(cache => cache.Name == name)];
        if (name != null && wanted.Count == 0)
        {
            string known = all.Count == 0 ? "it has none" : "it has " + string.Join(", ", all.Select(cache => $"'{Untrusted.Show(cache.Name, ascii: false)}'"));
            throw new ToolException(ExitCode.Failed, $"{Untrusted.Show(heap.Path, ascii: false)}: no cache '{Untrusted.Show(name, ascii: false)}'; {known}");
        }

        return [.. wanted.Select(cache => TryOpen(heap, cache.Name, surroundings)).OfType<SharedCache>()];
    }

    /// <summary>The one cache that is meant: the one of a name, the only one, or "default".</summary>
    /// <exception cref="ToolException">It is not clear which.</exception>
    internal static SharedCache Cache(ShmHeap heap, string? name, Surroundings surroundings)
    {
        IReadOnlyList<SharedCache> caches = Caches(heap, name, surroundings);
        return caches switch
        {
            [var only] => only,
            [] => throw new ToolException(ExitCode.Failed, $"{Untrusted.Show(heap.Path, ascii: false)}: it has no cache"),
            _ => caches.FirstOrDefault(cache => cache.Name == "default") ?? throw new ToolException(
                ExitCode.Usage, "which cache? Say --cache " + string.Join(" or --cache ", caches.Select(cache => Untrusted.Show(cache.Name, ascii: false)))),
        };
    }

    private static SharedCache? TryOpen(ShmHeap heap, string name, Surroundings surroundings)
    {
        try
        {
            return SharedCache.Open(heap, name, new SharedCacheOptions { Clock = surroundings.CacheClock });
        }
        catch (Exception damaged) when (damaged is InvalidOperationException and not ObjectDisposedException or ArgumentException)
        {
            // The name was no name, in a damaged heap: verify says so.
            return null;
        }
    }

    private static string Damage(ShmFileReport report)
    {
        ShmHeaderField? wrong = report.Header.FirstOrDefault(field => !field.IsRight && field.Name != "checksum");
        return wrong != null
            ? string.Create(CultureInfo.InvariantCulture, $"{wrong.Name} (byte {wrong.At}) is {wrong.Value}, and must be {wrong.Expected}")
            : report.Header.Any(field => !field.IsRight) ? "its checksum is wrong" : "its sizes make no sense";
    }

    private static string Hex(ReadOnlySpan<byte> bytes) =>
        string.Join(' ', bytes.ToArray().Select(value => value.ToString("x2", CultureInfo.InvariantCulture)));
}

/// <summary>What a verb that changes something was allowed.</summary>
internal sealed record WriteOptions(bool AllowsForeignOwner, UnixFileMode Mode);
