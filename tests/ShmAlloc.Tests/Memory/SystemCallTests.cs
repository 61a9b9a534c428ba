using System.Reflection;
using System.Runtime.InteropServices;
using ShmAlloc.Memory.Linux;

namespace ShmAlloc.Tests.Memory;

/// <summary>F3: a garbage collection does not wait for a system call that takes long.</summary>
public sealed class SystemCallTests
{
    private const BindingFlags All = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;

    /// <summary>They neither wait nor do more the more there is. What reads or fills memory is for the native library alone: see ShortMemory.</summary>
    private static readonly string[] Short = ["__errno_location", "clock_gettime", "getauxval", "geteuid", "getrlimit", "memcmp", "memcpy", "memset", "uname"];

    [Fact]
    public void Only_calls_that_are_short_keep_a_collection_waiting_in_a_NET_program()
    {
        var calls = typeof(Libc).Assembly.GetTypes().Where(type => type.Name != "Foreign").SelectMany(type => type.GetMethods(All))
            .Where(method => method.GetCustomAttribute<DllImportAttribute>() != null).ToList();
        var waiting = calls.Where(method => method.GetCustomAttribute<SuppressGCTransitionAttribute>() != null).Select(EntryOf);
        Assert.Equal(Short, waiting.Order(StringComparer.Ordinal));
        Assert.Contains("munmap", calls.Select(EntryOf));
    }

    [Fact]
    public void Whatever_lets_collections_go_on_has_a_twin_for_the_native_library_which_does_not()
    {
        var managed = typeof(Libc).GetNestedType("Managed", All)!.GetMethods(All);
        var foreign = typeof(Libc).GetNestedType("Foreign", All)!.GetMethods(All);
        Assert.Equal(managed.Select(method => (EntryOf(method), method.ToString())), foreign.Select(method => (EntryOf(method), method.ToString())));
        Assert.All(managed, method => Assert.True(method.GetCustomAttribute<DllImportAttribute>()!.SetLastError));
        Assert.All(foreign, method => Assert.NotNull(method.GetCustomAttribute<SuppressGCTransitionAttribute>()));
    }

    private static string EntryOf(MethodInfo method) => method.GetCustomAttribute<DllImportAttribute>()!.EntryPoint!;
}
