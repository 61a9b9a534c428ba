using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text;

namespace ShmAlloc.Native.Tests;

/// <summary>One file, shared by .NET and C processes, some of which are killed.</summary>
public sealed class InteroperationTests : IDisposable
{
    private readonly TemporaryHeapPath _path = new();
    private readonly Random _random = new(20264);

    public void Dispose() => _path.Dispose();

    [Fact]
    public async Task What_a_CSharp_process_writes_a_C_process_reads_and_the_other_way_round()
    {
        using var heap = ShmHeap.Create(_path.Value, new ShmHeapOptions { SizeBytes = 1 << 20 });
        var question = heap.Malloc(100);
        "from C#\0"u8.CopyTo(heap.GetSpan(question, 100));
        heap.CompareExchangeRoot(0, question.Value, 0);
        var peer = await CProgram.BuildAsync("peer.c");
        var result = await Command.RunAsync(peer, ["from C#", "from C"], ("SHM_FILE", _path.Value));
        Assert.True(result.ExitCode == 0, result.Text);
        var answer = new ShmOffset(heap.ReadRoot(1));
        Assert.Equal("from C", Encoding.UTF8.GetString(heap.GetReadOnlySpan(answer, 6)));
        Assert.Equal(ShmStatus.Ok, heap.Free(answer));
        Assert.Equal(ShmStatus.AlreadyFree, heap.Free(question));
        Assert.Equal(0, heap.GetStatistics().Allocations);
    }

    [Fact]
    public async Task A_heap_that_C_made_has_its_limits_in_CSharp()
    {
        var original = await CProgram.BuildAsync("original.c");
        Assert.Equal(0, (await Command.RunAsync(original, [_path.Value])).ExitCode);
        using var heap = ShmHeap.Attach(_path.Value);
        Assert.Equal((32, 4096L, 256L << 20), (heap.UnitBytes, heap.LargestAllocationBytes, heap.MaximumBytes));
        Assert.True(heap.Malloc(4097, out var status).IsNull);
        Assert.Equal(ShmStatus.TooLarge, status);
        Assert.True(heap.Verify().IsSound);
    }

    [Fact]
    public async Task CSharp_goes_on_while_C_processes_are_killed()
    {
        var kills = Effort.Choose(25, 150, 1000);
        using var heap = ShmHeap.Create(_path.Value, new ShmHeapOptions { SizeBytes = 8 << 20, MaxParticipants = 8 });
        var storm = await CProgram.BuildAsync("storm.c");
        for (var kill = 0; kill < kills; kill++)
        {
            using var victim = await StartReadyAsync(storm, [$"{kill + 1}"], ("SHM_FILE", _path.Value));
            using var other = await StartReadyAsync(storm, [$"{kill + 10001}"], ("SHM_FILE", _path.Value));
            Work(heap, _random.Next(30));
            await KillAsync(victim);
            Assert.True(heap.Verify().IsSound);
            Work(heap, _random.Next(10));
            await KillAsync(other);

            // A place whose offset died with its process stays, and nothing else does.
            heap.RecoverDead();
            Assert.Equal(1, heap.GetStatistics().Participants);
            Assert.InRange(heap.GetStatistics().Allocations, 0, 2 * (kill + 1));
        }

        AssertEverythingComesBack(heap);
    }

    [Fact]
    public async Task C_goes_on_while_CSharp_processes_are_killed()
    {
        var kills = Effort.Choose(6, 30, 200);
        using var heap = ShmHeap.Create(_path.Value, new ShmHeapOptions { SizeBytes = 8 << 20, MaxParticipants = 8 });
        var storm = await CProgram.BuildAsync("storm.c");
        using var survivor = await StartReadyAsync(storm, ["5"], ("SHM_FILE", _path.Value));
        for (var kill = 0; kill < kills; kill++)
        {
            using var victim = await StartReadyAsync(Locations.RuntimeHost, ["exec", Locations.WorkerAssembly, "heap"]);
            await AskAsync(victim, $"attach {_path}", "attached");
            await AskAsync(victim, $"malloc-and-free {kill}", "churning");
            Live(_random.Next(40));
            await KillAsync(victim);
            Assert.True(heap.Verify().IsSound);
            Assert.False(survivor.HasExited, $"The C process ended with {(survivor.HasExited ? survivor.ExitCode : 0)}.");
        }

        await KillAsync(survivor);
        heap.RecoverDead();
        Assert.Equal(1, heap.GetStatistics().Participants);
        Assert.InRange(heap.GetStatistics().Allocations, 0, kills + 1);
        AssertEverythingComesBack(heap);
    }

    private static async Task<Process> StartReadyAsync(string program, string[] arguments, params (string Name, string Value)[] environment)
    {
        var process = Command.Start(program, arguments, environment);
        var line = await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
        Assert.Equal("ready", line);
        return process;
    }

    private static async Task AskAsync(Process process, string question, string answer)
    {
        await process.StandardInput.WriteLineAsync(question);
        await process.StandardInput.FlushAsync(TestContext.Current.CancellationToken);
        var line = await process.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken);
        Assert.StartsWith(answer, line, StringComparison.Ordinal);
    }

    /// <summary>Kills a process that must still be at work: what ends by itself found something wrong.</summary>
    private static async Task KillAsync(Process process)
    {
        process.Kill();
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.Equal(128 + 9, process.ExitCode);
    }

    private static void Work(ShmHeap heap, int milliseconds)
    {
        var start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start).TotalMilliseconds < milliseconds)
        {
            var place = heap.Malloc(3000);
            MemoryMarshal.Write(heap.GetSpan(place, 8), place.Value);
            Assert.Equal(place.Value, MemoryMarshal.Read<ulong>(heap.GetSpan(place, 8)));
            Assert.Equal(ShmStatus.Ok, heap.Free(place));
        }
    }

    /// <summary>Gives another process some time to be in the middle of something; nothing depends on how much.</summary>
    private static void Live(int milliseconds)
    {
        var start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start).TotalMilliseconds < milliseconds)
        {
            Thread.Yield();
        }
    }

    /// <summary>Fills the heap: then nothing is private any more and nothing free.</summary>
    private static void AssertEverythingComesBack(ShmHeap heap)
    {
        ShmStatus status;
        do
        {
            heap.Malloc(32, out status);
        }
        while (status == ShmStatus.Ok);
        Assert.Equal(ShmStatus.OutOfMemory, status);
        Assert.Equal((0L, 0L), (heap.GetStatistics().PrivateBytes, heap.GetStatistics().FreeBytes));
        Assert.True(heap.Verify().IsSound);
    }
}
