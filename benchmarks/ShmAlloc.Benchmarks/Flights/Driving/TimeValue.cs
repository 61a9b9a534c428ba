using System.Diagnostics;
using System.Runtime.InteropServices;

namespace ShmAlloc.Benchmarks.Flights.Driving;

/// <summary>A moment as a value: the clock is the same for all processes of a machine.</summary>
internal static class TimeValue
{
    internal static byte[] Now() => Of(Stopwatch.GetTimestamp());

    internal static byte[] Of(long timestamp)
    {
        byte[] value = new byte[sizeof(long)];
        MemoryMarshal.Write(value, timestamp);
        return value;
    }

    internal static long Read(byte[] value) => MemoryMarshal.Read<long>(value);

    internal static double Microseconds(long from, long to) => Stopwatch.GetElapsedTime(from, to).TotalMicroseconds;
}
