namespace ShmAlloc.ProcessTests;

/// <summary>A process stops before each store of the heap in turn. Mostly waiting, so a class of its own, beside the others.</summary>
public sealed class StopPointTests : IDisposable
{
    private readonly TemporaryHeapPath _path = new();

    public void Dispose() => _path.Dispose();

    [Fact]
    public async Task A_process_stopped_before_any_store_hinders_nobody_and_goes_on_correctly_after_everybody_looked() =>
        await ForkRun.ExpectWellAsync("stops", _path.Value, Effort.Choose("20", "1", "1"));
}
