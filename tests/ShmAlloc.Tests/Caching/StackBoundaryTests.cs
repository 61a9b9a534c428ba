using System.Runtime.CompilerServices;
using System.Text;
using ShmAlloc.Caching;
using ShmAlloc.Memory;

namespace ShmAlloc.Tests.Caching;

/// <summary>Threads are told apart by where their stacks lie: one whose stack crosses a boundary, in the middle of an operation, is one all the same.</summary>
public sealed unsafe class StackBoundaryTests
{
    private const int Stack = 1 << StackShard.StackShift;
    private const int HeapBytes = 4 << 20;
    private const int MostBytesOfFrames = 6144;
    private const int Step = 512;

    /// <summary>Values that lie in one bitmap word, and longer ones: they are placed in different ways.</summary>
    [Theory]
    [InlineData(400)]
    [InlineData(968)]
    [InlineData(2000)]
    public void A_full_cache_stays_full(int valueBytes)
    {
        for (var above = 0; above < MostBytesOfFrames; above += Step)
        {
            CallAbove(above, () =>
            {
                using TestCache test = new(heap: new() { SizeBytes = HeapBytes, BlockBytes = 32_768, UnitBytes = 16, MaxParticipants = 4 });
                var value = TestCache.Value(valueBytes, above);
                var entries = HeapBytes / valueBytes;
                Random random = new(above);
                for (var turn = 0; turn < 8 * entries; turn++)
                {
                    var key = $"{random.Next(3 * entries)}";
                    Assert.True(test.Cache.Contains(Encoding.UTF8.GetBytes(key)) || test.Cache.Set(key, value) == CacheStatus.Ok);
                }

                Assert.InRange(test.Cache.GetStatistics().Bytes, HeapBytes * 3 / 4, HeapBytes);
            });
        }
    }

    /// <summary>Calls with the stack so many bytes above a boundary.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void CallAbove(int bytes, Action action)
    {
        byte here;
        var distance = (int)((ulong)&here & (Stack - 1)) - bytes;
        var space = stackalloc byte[distance >= 0 ? distance : distance + Stack];
        *space = 1;
        action();
    }
}
