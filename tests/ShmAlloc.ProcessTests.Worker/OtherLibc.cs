using System.Reflection;
using System.Runtime.InteropServices;

namespace ShmAlloc.ProcessTests.Worker;

/// <summary>
/// Gives ShmAlloc, and nothing else of this process, another C library: one that tests have made, with what it does not have itself from the real one.
/// </summary>
internal static class OtherLibc
{
    private const string Variable = "SHMALLOC_TEST_LIBC";

    internal static void UseIfWanted()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { } path)
        {
            nint library = NativeLibrary.Load(path);
            NativeLibrary.SetDllImportResolver(typeof(ShmHeap).Assembly, (string name, Assembly _, DllImportSearchPath? _) => name == "libc" ? library : 0);
        }
    }
}
