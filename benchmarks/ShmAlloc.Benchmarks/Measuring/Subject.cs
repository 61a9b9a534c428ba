using System.Diagnostics;

namespace ShmAlloc.Benchmarks.Measuring;

/// <summary>An allocator that takes part, and how to start a driver for it.</summary>
/// <param name="Name">As tables print it.</param>
/// <param name="DriverName">As the driver knows it.</param>
/// <param name="IsDotNet">Whether the driver in C# runs it; otherwise the one in C.</param>
/// <param name="IsShared">Whether it serves several processes from one heap.</param>
/// <param name="Preload">A library that replaces malloc, with which the driver starts.</param>
internal sealed record Subject(string Name, string DriverName, bool IsDotNet, bool IsShared, string? Preload = null)
{
    internal static readonly Subject Ours = new("ShmAlloc .NET", "shmalloc", IsDotNet: true, IsShared: true);
    internal static readonly Subject OursFromC = new("ShmAlloc C ABI", "shm_alloc", IsDotNet: false, IsShared: true);
    internal static readonly Subject Glibc = new("glibc", "malloc", IsDotNet: false, IsShared: false);
    internal static readonly Subject Mimalloc = new("mimalloc", "malloc", IsDotNet: false, IsShared: false, "libmimalloc.so.2");
    internal static readonly Subject Jemalloc = new("jemalloc", "malloc", IsDotNet: false, IsShared: false, "libjemalloc.so.2");
    internal static readonly Subject Boost = new("Boost.Interprocess", "boost", IsDotNet: false, IsShared: true);
    internal static readonly Subject Naive = new("lock + free list", "naive", IsDotNet: false, IsShared: true);
    internal static readonly Subject TwoCas = new("two CAS .NET", "two-cas", IsDotNet: true, IsShared: false);
    internal static readonly Subject EmptyLoopDotNet = new("empty loop .NET", "nothing", IsDotNet: true, IsShared: false);
    internal static readonly Subject EmptyLoopC = new("empty loop C", "nothing", IsDotNet: false, IsShared: false);

    internal static readonly IReadOnlyList<Subject> All =
        [Ours, OursFromC, Glibc, Mimalloc, Jemalloc, Boost, Naive, TwoCas, EmptyLoopDotNet, EmptyLoopC];

    /// <summary>Starts the driver in C# or in C.</summary>
    internal DriverProcess StartDriver(IEnumerable<string> words)
    {
        string[] all =
        [
            $"subject={DriverName}",
            .. words,
            .. this == OursFromC && NativeFiles.Library is { } library ? [$"library={library}"] : Array.Empty<string>(),
        ];
        ProcessStartInfo start = IsDotNet ? DriverProcess.OfThisProgram(["driver", .. all]) : new(NativeFiles.Driver, all);
        if (Preload is { } preload)
        {
            start.Environment["LD_PRELOAD"] = preload;
        }

        return new DriverProcess(Name, start);
    }

    /// <summary>Whether it is this library, whose heap is made before the drivers start.</summary>
    internal bool IsOurs => this == Ours || this == OursFromC;

    /// <summary>Whether it is no allocator, but a part of what one costs.</summary>
    internal bool IsYardstick => this == TwoCas || this == EmptyLoopDotNet || this == EmptyLoopC;

    /// <summary>What its version begins with, so that a library that did not load cannot pass for another.</summary>
    internal string? ExpectedVersion => this == Glibc || this == Mimalloc || this == Jemalloc ? Name : null;
}
