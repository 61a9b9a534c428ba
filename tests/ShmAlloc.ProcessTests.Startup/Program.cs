namespace ShmAlloc.ProcessTests.Startup;

/// <summary>Says whether the kernel shows the heap among this process's mappings when <c>Main</c> begins, and then uses it.</summary>
internal static class Program
{
    private static int Main()
    {
        // By the directory alone: a file that had no name when it was mapped is shown there as deleted.
        var path = Environment.GetEnvironmentVariable("SHM_FILE") is { Length: > 0 } given ? given : "/dev/shm/none";
        var directory = $" {Path.GetDirectoryName(path)}/";
        var mappings = File.ReadLines("/proc/self/maps").Count(line => line.Contains(directory, StringComparison.Ordinal));
        var libraries = AppDomain.CurrentDomain.GetAssemblies().Count(assembly => assembly.GetName().Name == "ShmAlloc");
        Console.WriteLine(mappings > 0 ? "mapped" : libraries > 0 ? "loaded, not mapped" : "not loaded");
        try
        {
            var offset = Shm.Malloc(100);
            Console.WriteLine($"{Shm.Heap.Id} {Shm.Heap.GetSpan(offset, 100).Length} {Shm.Free(offset)}");
            return 0;
        }
        catch (ShmException exception)
        {
            Console.WriteLine(exception.Reason);
            return 1;
        }
    }
}
