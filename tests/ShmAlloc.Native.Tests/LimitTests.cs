namespace ShmAlloc.Native.Tests;

/// <summary>
/// A C process under a limit: each operation has a clear answer, which docs/limits.md tells (F6, F7); nothing is lost, and no signal ends the process.
/// </summary>
public sealed class LimitTests : IDisposable
{
    private const int NotPermitted = 77;

    private static readonly IReadOnlyDictionary<string, string[]> Page = DocumentedTable.Read("limits.md", "## C");

    private readonly DirectoryInfo _directory = Directory.CreateDirectory(new TemporaryHeapPath().Value);

    public static TheoryData<string> Limits => [.. Page.Keys.Where(name => name != "limit")];

    private string HeapPath => Path.Combine(_directory.FullName, "heap");

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    [MemberData(nameof(Limits))]
    public async Task Under_a_limit_each_operation_answers_what_the_page_tells(string limit)
    {
        string program = await CProgram.BuildAsync("limits.c");
        List<string> answers = [];
        foreach (string operation in Page["limit"])
        {
            using ShmHeap heap = ShmHeap.Create(HeapPath, new ShmHeapOptions { SizeBytes = 2 << 20, MaximumSizeBytes = 64 << 20 });
            ShmOffset kept = heap.Malloc(5000);
            heap.GetSpan(kept, 5000).Fill(7);
            CommandResult result = await Command.RunAsync(program, [limit, operation], ("TEST_HEAP", HeapPath));
            Assert.SkipWhen(result.ExitCode == NotPermitted, $"Not permitted here: {result.Errors}");
            Assert.True(result.ExitCode == 0, $"{operation}: {result.Text}");
            answers.Add(result.Output);
            AssertNothingIsLost(heap, kept);
        }

        Assert.Equal(Page[limit], answers);
    }

    private void AssertNothingIsLost(ShmHeap heap, ShmOffset kept)
    {
        heap.RecoverDead();
        Assert.Equal(1, heap.GetStatistics().Participants);
        Assert.True(heap.Verify().IsSound, string.Join('\n', heap.Verify().Violations));
        Assert.DoesNotContain((byte)0, heap.GetReadOnlySpan(kept, 5000).ToArray());
        if (heap.CommittedBytes < heap.MaximumBytes)
        {
            Assert.Equal(ShmStatus.Ok, heap.Grow(heap.MaximumBytes - heap.CommittedBytes));
        }

        Assert.Equal(ShmStatus.Ok, heap.Free(heap.Malloc(32 << 20)));
        foreach (FileInfo file in _directory.EnumerateFiles())
        {
            Assert.Contains(file.Name, (string[])["heap", "heap2"]);
            using ShmHeap found = ShmHeap.Attach(file.FullName);
            Assert.True(found.Verify().IsSound);
            file.Delete();
        }
    }
}
