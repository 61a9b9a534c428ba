namespace ShmAlloc.Benchmarks.Measuring;

/// <summary>Whether a subject is there, and which version: asked of a driver.</summary>
/// <param name="Name">Whose presence.</param>
/// <param name="Version">Its version, or <see langword="null"/>.</param>
/// <param name="Reason">Why it is not there.</param>
internal sealed record Presence(string Name, string? Version, string? Reason)
{
    internal bool IsPresent => Version is not null;

    public override string ToString() => $"{Name}: {Version ?? $"NOT PRESENT, {Reason}"}";

    internal static Presence Of(Subject subject)
    {
        if (!subject.IsDotNet && !File.Exists(NativeFiles.Driver))
        {
            return new Presence(subject.Name, null, "the native driver is not built: ./bench does that");
        }

        using Place place = new();
        HeapCell.MakeHeap(subject, place, Workload.MiB, Workload.MiB);
        using DriverProcess driver = subject.StartDriver(
            ["pattern=idle", $"path={place.Heap}", $"coordination={place.NewCoordination("meet")}", $"heap={Workload.MiB}"]);
        string answer = driver.Hear();
        string[] words = answer.Split(' ', 2);
        bool isReady = words[0] == "ready";
        bool isIt = subject.ExpectedVersion is null || words[1].StartsWith(subject.ExpectedVersion, StringComparison.Ordinal);
        return isReady && isIt
            ? new Presence(subject.Name, words[1], null)
            : new Presence(subject.Name, null, isReady ? $"{subject.Preload} did not load: malloc is {words[1]}" : words[1]);
    }
}
