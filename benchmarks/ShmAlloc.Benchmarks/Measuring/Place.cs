namespace ShmAlloc.Benchmarks.Measuring;

/// <summary>Files for one measurement below <c>/dev/shm</c>: the heap, and the file in which its workers meet. Removed at the end.</summary>
internal sealed class Place : IDisposable
{
    private const string Home = "/dev/shm";

    private static int _last;

    private readonly string _prefix = $"shmalloc-bench-{Environment.ProcessId}-{Interlocked.Increment(ref _last)}";

    internal Place() => Leftovers.Add(this);

    internal string Heap => Path.Combine(Home, _prefix + "-heap");

    /// <summary>Makes the file in which workers meet.</summary>
    internal string NewCoordination(string name)
    {
        string path = Path.Combine(Home, $"{_prefix}-{name}");
        using FileStream file = File.Create(path);
        file.SetLength(Driving.Coordination.Bytes);
        return path;
    }

    public void Dispose()
    {
        Leftovers.Remove(this);
        foreach (string file in Directory.EnumerateFiles(Home, _prefix + "-*"))
        {
            File.Delete(file);
        }
    }
}
