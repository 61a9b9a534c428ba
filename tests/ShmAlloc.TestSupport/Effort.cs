namespace ShmAlloc.TestSupport;

/// <summary>How thorough this run is: <c>./test</c> is quick, <c>./test --deep</c> sets <c>SHMALLOC_DEEP=1</c>.</summary>
public static class Effort
{
    /// <summary>Whether this is a deep run.</summary>
    public static bool IsDeep { get; } = Environment.GetEnvironmentVariable("SHMALLOC_DEEP") == "1";

    /// <summary>The one of two amounts that this run asks for.</summary>
    /// <param name="quick">What every run does.</param>
    /// <param name="deep">What a deep run does.</param>
    /// <returns><paramref name="deep"/> in a deep run, otherwise <paramref name="quick"/>.</returns>
    public static T Choose<T>(T quick, T deep) => IsDeep ? deep : quick;
}
