namespace ShmAlloc.TestSupport;

/// <summary>
/// How much this run tries: the one place that decides. Tests have a budget for each of the three: so many rounds, kills, schedules, and not so much time. The
/// little that a quick run leaves out runs in the others. <c>./test</c> sets <c>SHMALLOC_EFFORT</c> to <c>quick</c>, or with options of these names to <c>all</c> or <c>deep</c>.
/// </summary>
public static class Effort
{
    private static readonly string Wanted = Environment.GetEnvironmentVariable("SHMALLOC_EFFORT") ?? "quick";

    /// <summary>The one of three amounts that this run asks for.</summary>
    /// <param name="quick">What every run does, in minutes for all tests.</param>
    /// <param name="all">What is done for a change before it counts: less than an hour for all tests.</param>
    /// <param name="deep">What is done now and then, for hours.</param>
    /// <returns>One of them.</returns>
    public static T Choose<T>(T quick, T all, T deep) => Wanted switch
    {
        "quick" => quick,
        "all" => all,
        "deep" => deep,
        _ => throw new InvalidOperationException($"SHMALLOC_EFFORT is '{Wanted}', and neither quick nor all nor deep."),
    };

    /// <summary>The one of two amounts that this run asks for.</summary>
    /// <param name="quick">What every run does, and what is done for a change before it counts.</param>
    /// <param name="deep">What is done now and then.</param>
    /// <returns>One of them.</returns>
    public static T Choose<T>(T quick, T deep) => Choose(quick, quick, deep);
}
