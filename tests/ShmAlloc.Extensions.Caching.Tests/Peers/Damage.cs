namespace ShmAlloc.Extensions.Caching.Tests;

/// <summary>Writes over a value, as a program would that has gone astray.</summary>
internal static class Damage
{
    internal static void Do(TemporaryHeapPath path, ReadOnlySpan<byte> value)
    {
        using var file = File.OpenHandle(path.Value, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
        var contents = new byte[RandomAccess.GetLength(file)];
        RandomAccess.Read(file, contents, 0);
        var at = contents.AsSpan().IndexOf(value);
        Assert.NotEqual(-1, at);
        RandomAccess.Write(file, [(byte)~value[0]], at);
    }
}
