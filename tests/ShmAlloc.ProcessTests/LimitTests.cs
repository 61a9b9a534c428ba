namespace ShmAlloc.ProcessTests;

/// <summary>
/// A process under a limit: each operation has a clear answer, which docs/limits.md tells (F6, F7); nothing is lost, and no signal ends the process.
/// </summary>
public sealed class LimitTests : IDisposable
{
    private const string Nobody = "65534";

    private static readonly IReadOnlyDictionary<string, string[]> Page = DocumentedTable.Read("limits.md", "## .NET");

    private readonly DirectoryInfo _directory = Directory.CreateDirectory(new TemporaryHeapPath().Value);

    public static TheoryData<string> Limits => [.. Page.Keys.Where(name => name != "limit")];

    private string HeapPath => Path.Combine(_directory.FullName, "heap");

    public void Dispose() => _directory.Delete(recursive: true);

    [Theory]
    [MemberData(nameof(Limits))]
    public async Task Under_a_limit_each_operation_answers_what_the_page_tells(string limit)
    {
        SkipUnlessPossible(limit);
        using var heap = ShmHeap.Create(HeapPath, new ShmHeapOptions { SizeBytes = 2 << 20, MaximumSizeBytes = 64 << 20 });
        var kept = heap.Malloc(5000);
        heap.GetSpan(kept, 5000).Fill(7);
        await using var worker = await StartAsync(limit);
        await LeaveSomethingToRecoverAsync();
        await ImposeAsync(worker, limit);

        List<string> answers = [];
        foreach (var question in Questions(HeapPath))
        {
            var answer = await worker.AskAsync(question);
            answers.Add(ulong.TryParse(answer, out _) && question.StartsWith("malloc", StringComparison.Ordinal) ? "Ok" : answer);
        }

        Assert.Equal(Page[limit], answers);
        worker.Process.CloseInput();
        Assert.Equal(0, worker.Process.WaitForExit());
        AssertNothingIsLost(heap, kept);
    }

    [Theory]
    [InlineData("file size", "why-not-create", "ulimit -f")]
    [InlineData("address space", "why-not-create", "ulimit -v")]
    [InlineData("address space", "why-not-attach", "ulimit -v")]
    [InlineData("descriptors", "why-not-create", "ulimit -n")]
    [InlineData("descriptors", "why-not-attach", "ulimit -n")]
    [InlineData("another user", "why-not-create", "permission")]
    [InlineData("another user", "why-not-attach", "permission")]
    public async Task The_sentence_of_an_exception_names_the_limit(string limit, string question, string word)
    {
        SkipUnlessPossible(limit);
        using var heap = ShmHeap.Create(HeapPath, new ShmHeapOptions { SizeBytes = 2 << 20, MaximumSizeBytes = 64 << 20 });
        await using var worker = await StartAsync(limit);
        await ImposeAsync(worker, limit);
        var path = question == "why-not-create" ? $"{HeapPath}2 size=2000000 maximum=64000000" : HeapPath;
        Assert.Contains(word, await worker.AskAsync($"{question} {path}"), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Every_limit_of_the_page_is_tried() => Assert.Equal(Imposing("").Keys.Order(), Page.Keys.Where(name => name != "limit").Order());

    private static string[] Questions(string path) =>
    [
        "recover", $"create-and-detach {path}2 size=60000000 maximum=64000000", $"attach-beside {path}", "grow 60000000", "malloc 100", "malloc 200000",
        "set-and-get key value", "detach",
    ];

    /// <summary>What imposes each limit.</summary>
    private static Dictionary<string, string[]> Imposing(string directory) => new(StringComparer.Ordinal)
    {
        ["none"] = [],
        ["file size"] = ["limit-file-size 1000000"],
        ["address space"] = ["limit-address-space 8000000"],
        ["descriptors"] = ["limit-descriptors"],
        ["no /proc"] = ["unmount /proc"],
        ["no O_TMPFILE"] = ["refuse-unnamed-files"],
        ["1 ms timer"] = ["interrupt-every-millisecond"],
        ["another user"] = [$"become {Nobody}"],
        ["another root"] = [$"change-root {directory}"],
    };

    private static void SkipUnlessPossible(string limit)
    {
        if (limit == "no /proc")
        {
            Namespaces.SkipUnlessPermitted(Namespaces.OwnMounts);
        }

        Assert.SkipUnless(Environment.IsPrivilegedProcess || limit is not ("another user" or "another root"), "Only root can change its user or its root.");
    }

    /// <summary>A worker that has done all of it before, so that the runtime needs nothing more while the limit holds.</summary>
    private async Task<HeapWorker> StartAsync(string limit)
    {
        var worker = await HeapWorker.StartAsync(limit == "no /proc" ? Namespaces.OwnMounts : []);
        var rehearsal = Path.Combine(_directory.FullName, "rehearsal");
        await worker.AttachToAsync($"create {rehearsal} size=2000000 maximum=64000000");
        await worker.ExpectAsync("open-cache", "opened default");
        foreach (var question in Questions(rehearsal))
        {
            await worker.AskAsync(question);
        }

        await worker.AskAsync("why-not-attach /nowhere");
        await worker.AskAsync("set-and-get key value");
        foreach (var file in _directory.EnumerateFiles("rehearsal*"))
        {
            file.Delete();
        }

        await worker.AttachToAsync($"attach {HeapPath}");
        await worker.ExpectAsync("open-cache", "opened default");
        return worker;
    }

    private async Task ImposeAsync(HeapWorker worker, string limit)
    {
        var empty = _directory.CreateSubdirectory("empty");
        foreach (var verb in Imposing(empty.FullName)[limit])
        {
            Assert.StartsWith(verb.StartsWith("refuse", StringComparison.Ordinal) ? "refusing" : "limited", await worker.AskAsync(verb), StringComparison.Ordinal);
        }
    }

    private async Task LeaveSomethingToRecoverAsync()
    {
        await using var victim = await HeapWorker.StartAsync();
        await victim.AttachToAsync($"attach {HeapPath}");
        await victim.OffsetAsync("reserve 5000");
        victim.Kill();
    }

    /// <summary>No file beside the heap, no participant but this one, no damage; and all that was freed can be had again.</summary>
    private void AssertNothingIsLost(ShmHeap heap, ShmOffset kept)
    {
        heap.RecoverDead();
        Assert.Equal(1, HeapAssert.Participants(heap));
        HeapAssert.Sound(heap);
        Assert.DoesNotContain((byte)0, heap.GetReadOnlySpan(kept, 5000).ToArray());
        if (heap.CommittedBytes < heap.MaximumBytes)
        {
            Assert.Equal(ShmStatus.Ok, heap.Grow(heap.MaximumBytes - heap.CommittedBytes));
        }

        Assert.Equal(ShmStatus.Ok, heap.Free(heap.Malloc(32 << 20)));
        Assert.All(_directory.EnumerateFiles(), file => Assert.Contains(file.Name, (string[])["heap", "heap2"]));
        if (File.Exists($"{HeapPath}2"))
        {
            using var second = ShmHeap.Attach($"{HeapPath}2");
            HeapAssert.Sound(second);
        }
    }
}
