using System.Runtime.InteropServices;

namespace ShmAlloc.ProcessTests;

/// <summary>Whose file it is, and who else may write it.</summary>
public sealed class OwnershipTests : IDisposable
{
    private const uint Stranger = 12_345;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly TemporaryHeapPath _path = new();

    public OwnershipTests() => ShmHeap.Create(_path.Value, new ShmHeapOptions { SizeBytes = 100_000 }).Dispose();

    public void Dispose() => _path.Dispose();

    [Fact]
    public void A_file_of_another_user_is_refused_unless_that_is_allowed()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root can give files away.");
        Assert.Equal(0, ChangeOwner(_path.Value, Stranger, Stranger));
        AssertRefused(ShmFailure.ForeignOwner, new ShmHeapOptions());
        using var heap = ShmHeap.Attach(_path.Value, new ShmHeapOptions { AllowForeignOwner = true });
        HeapAssert.Sound(heap);
    }

    [Theory]
    [InlineData(UnixFileMode.GroupWrite)]
    [InlineData(UnixFileMode.OtherWrite)]
    public void A_file_that_others_may_write_is_refused_unless_that_is_allowed(UnixFileMode more)
    {
        File.SetUnixFileMode(_path.Value, OwnerOnly | more);
        AssertRefused(ShmFailure.ModeTooOpen, new ShmHeapOptions());
        using var heap = ShmHeap.Attach(_path.Value, new ShmHeapOptions { FileMode = OwnerOnly | more });
        HeapAssert.Sound(heap);
    }

    [Fact]
    public void A_new_file_is_its_owners_alone() => Assert.Equal(OwnerOnly, File.GetUnixFileMode(_path.Value));

    private void AssertRefused(ShmFailure reason, ShmHeapOptions options)
    {
        var attach = Assert.Throws<ShmException>(() => ShmHeap.Attach(_path.Value, options));
        var open = Assert.Throws<ShmException>(() => ShmHeap.Open(_path.Value, options));
        var read = Assert.Throws<ShmException>(() => ShmHeap.AttachReadOnly(_path.Value, options));
        Assert.All([attach, open, read], exception => Assert.Equal(reason, exception.Reason));
    }

    [DllImport("libc", EntryPoint = "chown", CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    private static extern int ChangeOwner(string path, uint user, uint group);
}
