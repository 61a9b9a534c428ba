namespace ShmAlloc.ProcessTests;

/// <summary>F54: what was given back to the system may be gone when it is wanted again: then that is a status, never a SIGBUS.</summary>
public sealed class GiveBackTests : IDisposable
{
    private const int Initial = 1 << 20;
    private const int Run = 200_000;

    private readonly DirectoryInfo _directory = Directory.CreateDirectory(new TemporaryHeapPath().Value);

    private string HeapPath => Path.Combine(_directory.FullName, "heap");

    public void Dispose() => _directory.Delete(recursive: true);

    [Fact]
    public async Task A_file_system_that_others_have_filled_meanwhile_is_a_status_and_never_a_signal()
    {
        Namespaces.SkipUnlessPermitted(Namespaces.OwnMounts);
        await using var worker = await HeapWorker.StartAsync(Namespaces.OwnMounts);
        await worker.ExpectAsync($"mount-tmpfs {_directory} 24m", "mounted");
        await worker.AttachToAsync($"create {HeapPath} size={Initial} maximum=64000000");
        Assert.EndsWith("FileSystemFull", await worker.AskAsync($"fill-up {Run} 5000"), StringComparison.Ordinal);
        await worker.ExpectAsync("free-held", "freed");
        Assert.InRange(await worker.NumberAsync("trim"), 16 << 20, 24 << 20);

        await worker.ExpectAsync($"hog {_directory}/hog", "full");
        var statuses = (await worker.AskAsync($"fill-up {Run} 5000 700 32")).Split(' ').Where((_, index) => index % 2 == 1);
        Assert.All(statuses, status => Assert.Equal("FileSystemFull", status));
        await worker.ExpectAsync("check-held", "same");
        Assert.StartsWith("sound", await worker.AskAsync("verify"), StringComparison.Ordinal);

        await worker.ExpectAsync($"delete {_directory}/hog", "deleted");
        Assert.EndsWith("FileSystemFull", await worker.AskAsync($"fill-up {Run} 5000"), StringComparison.Ordinal);
        await worker.ExpectAsync("check-held", "same");
        await worker.ExpectAsync("free-held", "freed");
        Assert.InRange(await worker.NumberAsync("trim"), 16 << 20, 24 << 20);
        await worker.ExpectAsync("verify", "sound 0");
    }

    [Fact]
    public async Task Another_process_fills_what_this_one_gives_back_and_the_other_way_round()
    {
        await using var first = await HeapWorker.StartAsync();
        await first.AttachToAsync($"create {HeapPath} size={Initial} maximum=16000000");
        await using var second = await HeapWorker.StartAsync();
        await second.AttachToAsync($"attach {HeapPath}");
        for (var round = 0; round < 3; round++)
        {
            foreach (var (worker, other) in new[] { (first, second), (second, first) })
            {
                Assert.EndsWith("OutOfMemory", await worker.AskAsync($"fill-up {Run} 5000 32"), StringComparison.Ordinal);
                await worker.ExpectAsync("check-held", "same");
                await worker.ExpectAsync("free-held", "freed");
                Assert.InRange(await other.NumberAsync("trim"), 14_000_000, 16_000_000);
            }
        }

        await first.ExpectAsync("verify", "sound 0");
    }

    [Fact]
    public async Task A_file_system_that_makes_no_holes_keeps_everything_and_the_figures_say_so()
    {
        await using var worker = await HeapWorker.StartAsync();
        await worker.AttachToAsync($"create {HeapPath} size={Initial} maximum=16000000");
        await worker.ExpectAsync("grow 8000000", "Ok");
        await worker.ExpectAsync("refuse-holes", "refusing");
        await worker.ExpectAsync("can-give-back", "True");
        await worker.ExpectAsync("trim", "0");
        await worker.ExpectAsync("can-give-back", "False");
        await worker.ExpectAsync("given-back", "0");
        Assert.EndsWith("OutOfMemory", await worker.AskAsync($"fill-up {Run} 5000 32"), StringComparison.Ordinal);
        await worker.ExpectAsync("check-held", "same");
    }
}
