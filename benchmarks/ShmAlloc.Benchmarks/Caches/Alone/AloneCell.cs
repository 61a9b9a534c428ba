using ShmAlloc.Benchmarks.Measuring;

namespace ShmAlloc.Benchmarks.Caches.Alone;

/// <summary>One process that makes one kind of call.</summary>
internal sealed class AloneCell : Cell
{
    private readonly AloneCase _case;
    private readonly DriverProcess _driver;

    internal AloneCell(AloneCase each, Place place, int number)
    {
        _case = each;
        _driver = new DriverProcess(
            each.Variant,
            DriverProcess.OfThisProgram(
                ["alone-driver", .. each.Work.Split(' '), $"path={place.Heap}", $"coordination={place.NewCoordination($"meet{number}")}"]));
        try
        {
            _driver.Expect("ready", "preparing");
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    protected override IReadOnlyList<DriverProcess> Workers => [_driver];

    /// <summary>Batches are whole.</summary>
    protected override long Granularity => 256;

    internal void WarmUp(Effort effort)
    {
        if (_case.Operations is { } operations)
        {
            Run(operations);
        }
        else
        {
            WarmUp(effort.RoundMilliseconds, effort.WarmUpMilliseconds);
        }
    }

    internal Round Once() => _case.Operations is { } operations ? Run(operations) : Run();

    public override void Dispose() => _driver.Dispose();
}
