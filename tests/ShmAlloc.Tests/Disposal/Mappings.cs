using System.Globalization;

namespace ShmAlloc.Tests.Disposal;

/// <summary>What this process has mapped. The tests that look run alone.</summary>
internal static unsafe class Mappings
{
    internal const string Alone = "alone in the process";

    internal static int Count => File.ReadAllLines("/proc/self/maps").Length;

    /// <summary>Bytes of address space.</summary>
    internal static long AddressSpace
    {
        get
        {
            var line = File.ReadLines("/proc/self/status").Single(line => line.StartsWith("VmSize:", StringComparison.Ordinal));
            return long.Parse(line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) << 10;
        }
    }

    internal static bool Contains(byte* address) => File.ReadLines("/proc/self/maps").Any(line =>
    {
        var range = line.Split(' ')[0].Split('-');
        return (ulong)address >= ulong.Parse(range[0], NumberStyles.HexNumber, CultureInfo.InvariantCulture)
            && (ulong)address < ulong.Parse(range[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
    });
}

[CollectionDefinition(Mappings.Alone, DisableParallelization = true)]
public sealed class AloneDefinition;
