using System.Runtime.Intrinsics.X86;

namespace ShmAlloc.Benchmarks.Measuring;

/// <summary>Where the script <c>bench</c> puts what is not .NET.</summary>
internal static class NativeFiles
{
    /// <summary>The native driver.</summary>
    internal static string Driver { get; } = Path.Combine(Artifacts(), "peers", "driver");

    /// <summary>The library with the C ABI, if it has been built: the variant that the loader would choose for this processor.</summary>
    internal static string? Library { get; } = Array.Find(
        [
            .. Avx2.IsSupported && Bmi2.IsSupported && Lzcnt.IsSupported ? [Path.Combine(Artifacts(), "native", "glibc-hwcaps", "x86-64-v3", "libshm_alloc.so")] : Array.Empty<string>(),
            Path.Combine(Artifacts(), "native", "libshm_alloc.so"),
        ],
        File.Exists);

    /// <summary>The directory artifacts, above the program.</summary>
    private static string Artifacts()
    {
        DirectoryInfo? directory = new(AppContext.BaseDirectory);
        while (directory is not null && directory.Name != "artifacts")
        {
            directory = directory.Parent;
        }

        return directory?.FullName ?? throw new BenchmarkException("The program must lie below artifacts/, where ./bench builds it.");
    }
}
