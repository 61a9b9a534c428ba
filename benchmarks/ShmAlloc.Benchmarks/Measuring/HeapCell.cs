using System.Globalization;

namespace ShmAlloc.Benchmarks.Measuring;

/// <summary>One allocator at one workload, with its heap.</summary>
internal sealed class HeapCell : Cell
{
    private readonly Place _place = new();
    private readonly List<DriverProcess> _drivers = [];
    private readonly List<DriverProcess> _idle = [];

    internal HeapCell(Subject subject, Workload workload)
    {
        Subject = subject;
        Workload = workload;
        try
        {
            Start();
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    internal Subject Subject { get; }

    internal Workload Workload { get; }

    /// <summary>Bytes of the heap's file.</summary>
    internal long FileBytes => new FileInfo(_place.Heap).Length;

    protected override IReadOnlyList<DriverProcess> Workers => _drivers;

    protected override long Granularity => Workload.Granularity;

    protected override long FirstOperations => Workload.IsSlow ? 1 : 256;

    /// <summary>Makes the heap of this library; the others make theirs themselves.</summary>
    internal static void MakeHeap(Subject subject, Place place, long committedBytes, long maximumBytes)
    {
        if (subject.IsOurs)
        {
            ShmHeap.Create(place.Heap, new ShmHeapOptions { SizeBytes = committedBytes, MaximumSizeBytes = maximumBytes }).Dispose();
        }
    }

    /// <summary>Fills the heap up, and empties it again as far.</summary>
    internal (long Count, long Bytes, long Rounded) Fill()
    {
        _drivers[0].Tell("fill");
        string answer = _drivers[0].Hear();
        long[] figures = [.. answer.Split(' ').Where((_, index) => index % 2 == 1).Select(text => long.Parse(text, CultureInfo.InvariantCulture))];
        return (figures[0], figures[1], figures[2]);
    }

    public override void Dispose()
    {
        _drivers.ForEach(driver => driver.Dispose());
        _idle.ForEach(driver => driver.Dispose());
        _place.Dispose();
    }

    private void Start()
    {
        MakeHeap(Subject, _place, Workload.CommittedBytes ?? Workload.HeapBytes, Workload.HeapBytes);
        string coordination = _place.NewCoordination("meet");
        for (int process = 0; process < Workload.Processes; process++)
        {
            _drivers.Add(Subject.StartDriver([.. Workload.Words, $"process={process}", $"path={_place.Heap}", $"coordination={coordination}"]));
            Expect(_drivers[^1], "ready");
        }

        string elsewhere = _place.NewCoordination("idle");
        for (int idle = 0; idle < Workload.IdleParticipants; idle++)
        {
            _idle.Add(Subject.StartDriver([.. Workload.Words, "pattern=idle", "process=1", $"path={_place.Heap}", $"coordination={elsewhere}"]));
            Expect(_idle[^1], "ready");
        }

        _drivers.ForEach(driver => driver.Tell("go"));
        _drivers.ForEach(driver => Expect(driver, "prepared"));
    }

    private void Expect(DriverProcess driver, string word) => driver.Expect(word, $"{Workload.Title}, {Workload.Variant}");
}
