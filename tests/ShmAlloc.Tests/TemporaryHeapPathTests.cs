using ShmAlloc.TestSupport;

namespace ShmAlloc.Tests;

public sealed class TemporaryHeapPathTests
{
    [Fact]
    public void Two_paths_are_never_the_same()
    {
        using var one = new TemporaryHeapPath();
        using var other = new TemporaryHeapPath();
        Assert.NotEqual(one.Value, other.Value);
    }

    [Fact]
    public void Disposing_removes_the_file_and_its_companions()
    {
        string path;
        using (var temporary = new TemporaryHeapPath())
        {
            path = temporary.Value;
            File.WriteAllText(path, "heap");
            File.WriteAllText(path + ".lock", "companion");
            Assert.True(temporary.Exists);
        }

        Assert.False(File.Exists(path));
        Assert.False(File.Exists(path + ".lock"));
    }
}
