namespace ShmAlloc.Tests.Caching;

/// <summary>Compares what a cache gave with what it should have given.</summary>
internal static class Bytes
{
    internal static void Equal(ReadOnlySpan<byte> expected, byte[]? actual)
    {
        Assert.NotNull(actual);
        Assert.Equal(expected, actual);
    }

    internal static void Equal(ReadOnlySpan<byte> expected, ReadOnlySpan<byte> actual) => Assert.Equal(expected, actual);
}
