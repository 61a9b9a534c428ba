using static ShmAlloc.Benchmarks.Measuring.Workload;

namespace ShmAlloc.Benchmarks.Measuring;

/// <summary>All groups of measurements.</summary>
internal static class Catalogue
{
    internal const string Pair100 = "pair 100 B";
    internal const string Churn128 = "churn 1..128 B";
    internal const string Churn1000 = "churn 1..1000 B";
    internal const string Handover100 = "producer/consumer 100 B";
    internal const string Handover1000 = "producer/consumer 1..1000 B";
    internal const string NearlyFull = "nearly full heap, churn 1..1000 B";
    internal const string Refused = "out of memory, heap of 1 GiB";
    internal const string AttachTitle = "attach, heap of 1 GiB, 8 participants";

    private static readonly (int Threads, int Processes)[] AlonePairAndProcesses = [(1, 1), (2, 1), (1, 2)];
    private static readonly (int Threads, int Processes)[] TwoOnly = [(2, 1), (1, 2)];

    /// <summary>What the table of targets needs.</summary>
    internal static IEnumerable<Group> ForTargets(HeapSizes sizes) =>
        [
            Make(Pair(100), sizes),
            Make(Churn(1, 128), AlonePairAndProcesses),
            Make(Churn(1, 1000), sizes),
            Make(new Workload(Handover100, "handover") { Sizes = (100, 100) }, TwoOnly),
            Make(new Workload(Handover1000, "handover") { Sizes = (1, 1000) }, TwoOnly),
            NearlyFullGroup([(1, 1)]),
            .. RefusedGroups(),
            AttachGroup(),
        ];

    /// <summary>Everything.</summary>
    internal static IEnumerable<Group> Full(HeapSizes sizes) =>
        [
            Make(Pair(32), AlonePairAndProcesses, [GiB]),
            Make(Pair(100), sizes),
            Make(Pair(1000), AlonePairAndProcesses, [GiB]),
            Make(Pair(4000), AlonePairAndProcesses, [GiB]),
            Make(Pair(65_536), AlonePairAndProcesses, [GiB]),
            Make(Churn(1, 128), sizes),
            Make(Churn(1, 1000), sizes),
            Make(Churn(1, 1000) with { Title = "churn 1..1000 B, first word written", Sizes = (8, 1000), Touch = true }, AlonePairAndProcesses, [GiB]),
            Make(Churn(1, 4096), AlonePairAndProcesses, [GiB]),
            Make(new Workload("churn log-normal around 300 B", "churn") { Median = 300 }, sizes),
            Make(new Workload(Handover100, "handover") { Sizes = (100, 100) }, TwoOnly),
            Make(new Workload(Handover1000, "handover") { Sizes = (1, 1000) }, TwoOnly),
            Make(new Workload("larson 10..500 B", "larson") { Sizes = (10, 500) }, AlonePairAndProcesses, [GiB]),
            Make(new Workload("threadtest 64 B", "threadtest") { Sizes = (64, 64) }, AlonePairAndProcesses, [GiB]),
            Make(Pair(512) with { Title = "linux-scalability 512 B" }, AlonePairAndProcesses, [GiB]),
            NearlyFullGroup(AlonePairAndProcesses),
            .. RefusedGroups(),
            AttachGroup(),
            CreateGroup(),
        ];

    /// <summary>One small measurement of each kind, to see that everything runs.</summary>
    internal static IEnumerable<Group> Smoke() =>
        [
            Make(Pair(100), AlonePairAndProcesses),
            Make(Churn(1, 1000) with { Sizes = (8, 1000), Touch = true }, TwoOnly),
            Make(new Workload(Handover1000, "handover") { Sizes = (1, 1000) }, TwoOnly),
            Make(new Workload("larson 10..500 B", "larson") { Sizes = (10, 500) }, TwoOnly),
            Make(new Workload("threadtest 64 B", "threadtest") { Sizes = (64, 64) }, [(1, 1)]),
            Narrow(NearlyFullGroup([(1, 1)]), 8 * MiB),
            .. RefusedGroups().Select(group => Narrow(group, 8 * MiB)),
            Narrow(AttachGroup(), 8 * MiB),
            Narrow(CreateGroup(), 8 * MiB),
        ];

    private static Workload Pair(int size) => new($"pair {(size == 65_536 ? "64 KiB" : $"{size} B")}", "pair") { Sizes = (size, size) };

    private static Workload Churn(int smallest, int largest) =>
        new($"churn {smallest}..{largest} B", "churn") { Sizes = (smallest, largest) };

    /// <summary>One thread, two threads, two processes; and one thread in heaps of all sizes.</summary>
    private static Group Make(Workload workload, HeapSizes sizes) => Combine(
        workload.Title,
        [.. AlonePairAndProcesses.Select(workers => workload with { Threads = workers.Threads, Processes = workers.Processes }),
            workload with { HeapBytes = GiB },
            workload with { HeapBytes = HeapSizes.Huge, CommittedBytes = sizes.CommittedOfHuge }],
        sizes.Note);

    private static Group Make(Workload workload, (int Threads, int Processes)[] workers, IReadOnlyList<long>? largeHeaps = null) => Combine(
        workload.Title,
        [.. workers.Select(count => workload with { Threads = count.Threads, Processes = count.Processes }),
            .. (largeHeaps ?? []).Select(bytes => workload with { HeapBytes = bytes })]);

    private static Group NearlyFullGroup((int Threads, int Processes)[] workers) => Combine(
        NearlyFull,
        from count in workers
        from percent in (int[])[50, 97]
        select new Workload(NearlyFull, "full") { Sizes = (1, 1000), Percent = percent, Threads = count.Threads, Processes = count.Processes });

    /// <summary>One after the other: each subject has a heap of 1 GiB.</summary>
    private static IEnumerable<Group> RefusedGroups() =>
        from full in ((int Smallest, int Largest, int Request)[])[(100, 100, 100), (100, 100, 65_536), (1, 1000, 4000)]
        let filling = full.Smallest == full.Largest ? $"{full.Largest} B" : $"{full.Smallest}..{full.Largest} B"
        let title = $"{Refused} full of {filling}, asked for {full.Request} B"
        select Combine(
            title,
            [
                new Workload(title, "refused")
                {
                    Sizes = (full.Smallest, full.Largest),
                    Request = full.Request,
                    HeapBytes = GiB,
                },
            ]);

    private static Group AttachGroup() =>
        Combine(AttachTitle, [new Workload(AttachTitle, "attach") { HeapBytes = GiB, IdleParticipants = 8 }]);

    private static Group CreateGroup()
    {
        const string title = "create, heap of 1 GiB";
        Group group = Combine(title, [new Workload(title, "create") { HeapBytes = GiB }]);
        return group with { Cells = [.. group.Cells.Where(cell => cell.Subject != Subject.OursFromC)] };
    }

    private static Group Narrow(Group group, long heapBytes) =>
        group with { Cells = [.. group.Cells.Select(cell => (cell.Subject, cell.Workload with { HeapBytes = heapBytes }))] };

    private static Group Combine(string title, IEnumerable<Workload> workloads, string? note = null) => new(
        title,
        [.. from workload in workloads from subject in Subject.All where TakesPart(subject, workload) select (subject, workload)],
        note);

    private static bool TakesPart(Subject subject, Workload workload)
    {
        bool isHuge = workload.HeapBytes > GiB;
        bool hasHeap = workload.HeapBytes != 64 * MiB || workload.NeedsSharing;
        bool isPlain = workload is { Pattern: "pair" or "churn", Threads: 1, Processes: 1, Touch: false } && !hasHeap;
        return subject.IsYardstick ? isPlain : isHuge ? subject == Subject.Ours : subject.IsShared || !hasHeap;
    }
}
