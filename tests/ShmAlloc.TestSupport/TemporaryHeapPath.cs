namespace ShmAlloc.TestSupport;

/// <summary>
/// A path below <c>/dev/shm</c> that nobody else uses. Nothing is created there; disposing removes what the test put
/// there: the file itself, and files beside it whose names continue its name.
/// </summary>
public sealed class TemporaryHeapPath : IDisposable
{
    private const string Home = "/dev/shm";

    /// <summary>Chooses a path. Its name tells the process id, so that leftovers of a killed run can be told apart.</summary>
    public TemporaryHeapPath() => Value = Path.Combine(Home, $"shmalloc-test-{Environment.ProcessId}-{Guid.NewGuid():N}");

    /// <summary>The path.</summary>
    public string Value { get; }

    /// <summary>Whether something is there now.</summary>
    public bool Exists => Path.Exists(Value);

    /// <summary>Removes the file, and its companions.</summary>
    public void Dispose()
    {
        foreach (var file in Directory.EnumerateFiles(Home, Path.GetFileName(Value) + "*"))
        {
            File.Delete(file);
        }
    }

    /// <inheritdoc/>
    public override string ToString() => Value;
}
