using System.Diagnostics.CodeAnalysis;

namespace ShmAlloc.Memory;

/// <summary>What kind of process this code runs in.</summary>
internal static class Host
{
    /// <summary>
    /// Whether this is the native library, in a process without a .NET runtime. A constant for both compilers: the native library is
    /// published with the switch set, so that what only .NET programs need is not even in it.
    /// </summary>
    [FeatureSwitchDefinition("ShmAlloc.ForeignHost")]
    internal static bool IsForeign { get; } = AppContext.TryGetSwitch("ShmAlloc.ForeignHost", out bool isForeign) && isForeign;
}
