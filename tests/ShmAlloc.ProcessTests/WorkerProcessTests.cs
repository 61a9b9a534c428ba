namespace ShmAlloc.ProcessTests;

/// <summary>The tools of the other tests: they would prove nothing if a worker that was killed still ran.</summary>
public sealed class WorkerProcessTests
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(200);

    [Fact]
    public async Task A_worker_answers_line_by_line_and_ends_with_its_input()
    {
        await using var worker = WorkerProcess.Start("echo", "heard ");
        worker.SendLine("one");
        await worker.ExpectLineAsync("heard one");
        worker.SendLine("two");
        await worker.ExpectLineAsync("heard two");
        worker.CloseInput();
        Assert.Equal(0, worker.WaitForExit());
    }

    [Fact]
    public async Task An_unknown_command_ends_with_2_and_its_usage_is_in_the_failure()
    {
        await using var worker = WorkerProcess.Start("no-such-command");
        var failure = await Assert.ThrowsAsync<WorkerException>(() => worker.ReadLineAsync());
        Assert.Contains("ended with exit code 2", failure.Message, StringComparison.Ordinal);
        Assert.Contains("usage:", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_line_that_does_not_come_fails_the_test_in_time()
    {
        await using var worker = WorkerProcess.Start("echo");
        var failure = await Assert.ThrowsAsync<WorkerException>(() => worker.ReadLineAsync(Moment));
        Assert.Contains("it still runs", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_killed_worker_has_ended_by_SIGKILL()
    {
        await using var worker = WorkerProcess.Start("echo");
        worker.Kill();
        Assert.True(worker.HasExited);
        Assert.Equal(128 + 9, worker.WaitForExit());
    }

    [Fact]
    public async Task A_stopped_worker_does_nothing_until_it_is_continued()
    {
        await using var worker = WorkerProcess.Start("echo");
        for (var round = 0; round < 3; round++)
        {
            worker.Stop();
            Assert.All(ThreadStates(worker.Id), state => Assert.Equal('T', state));
            worker.SendLine("hello");
            await Assert.ThrowsAsync<WorkerException>(() => worker.ReadLineAsync(Moment));
            worker.Continue();
            await worker.ExpectLineAsync("hello");
        }
    }

    [Fact]
    public void Disposing_ends_a_worker_even_if_it_is_stopped()
    {
        var worker = WorkerProcess.Start("echo");
        var id = worker.Id;
        worker.Stop();
        worker.Dispose();
        Assert.False(Path.Exists($"/proc/{id}"));
    }

    private static IEnumerable<char> ThreadStates(int processId) =>
        from thread in Directory.EnumerateDirectories($"/proc/{processId}/task")
        let status = File.ReadAllText($"{thread}/stat")
        select status[status.LastIndexOf(')') + 2];
}
