using CsCheck;
using ShmAlloc.TestSupport;

namespace ShmAlloc.Tests.Allocation;

/// <summary>Random programs of all operations, over all geometries, against a simple model. A failure prints its seed and the shortest program.</summary>
public sealed class HeapPropertyTests
{
    /// <summary>The range of address space of an attachment goes back only when it is collected.</summary>
    private const int ProgramsBetweenCollections = 200;

    private static readonly Gen<StepKind> Kinds = Gen.Frequency(
        (30, Gen.Const(StepKind.Malloc)),
        (6, Gen.Const(StepKind.Calloc)),
        (24, Gen.Const(StepKind.Free)),
        (3, Gen.Const(StepKind.FreeTwice)),
        (3, Gen.Const(StepKind.FreeInside)),
        (3, Gen.Const(StepKind.FreeAnywhere)),
        (8, Gen.Const(StepKind.Reserve)),
        (4, Gen.Const(StepKind.Publish)),
        (4, Gen.Const(StepKind.Abandon)),
        (1, Gen.Const(StepKind.EndTwice)),
        (2, Gen.Const(StepKind.UsableSize)),
        (1, Gen.Const(StepKind.Grow)),
        (8, Gen.Const(StepKind.SwitchAttachment)),
        (1, Gen.Const(StepKind.Reattach)),
        (1, Gen.Const(StepKind.RecoverDead)),
        (2, Gen.Const(StepKind.Verify)));

    private static int _programs;

    private static Gen<Step> StepsUpTo(long size) => Gen.Select(
        Kinds,
        Gen.Int[0, 1000],
        Gen.Frequency(
            (6, Gen.Long[0, 300]),
            (3, Gen.Long[0, Math.Min(size, 6000)]),
            (2, Gen.Int[0, 16].Select(shift => Math.Min(size, 1L << shift))),
            (2, Gen.Long[0, Math.Min(size, 80_000)]),
            (1, Gen.Long[0, size + 2])),
        (kind, which, bytes) => new Step(kind, which, bytes));

    private static Gen<(ShmHeapOptions Options, Step[] Steps)> Programs { get; } =
        from unitShift in Gen.Int[4, 12]
        from unitsPerBlockShift in Gen.Frequency((3, Gen.Int[5, 8]), (1, Gen.Int[9, 12]))
        let blockBytes = 1 << Math.Min(unitShift + unitsPerBlockShift, Math.Max(unitShift + 5, 18))
        from blocks in Gen.Frequency((3, Gen.Int[1, 8]), (1, Gen.Int[9, 140]))
        let maximum = Math.Min((long)blocks, Math.Max(1, (2 << 20) / blockBytes)) * blockBytes
        from grows in Gen.Bool
        from limited in Gen.Frequency((3, Gen.Const(false)), (1, Gen.Const(true)))
        let options = new ShmHeapOptions
        {
            UnitBytes = 1 << unitShift,
            BlockBytes = blockBytes,
            MaximumSizeBytes = maximum,
            SizeBytes = grows ? Math.Max(1, maximum / 4) : maximum,
            LargestAllocationBytes = limited ? Math.Max(64, maximum / 3) : null,
            MaxParticipants = 3,
        }
        from steps in StepsUpTo(maximum).Array[1, 150]
        select (options, steps);

    [Fact]
    public void Any_program_agrees_with_the_model() => Programs.Sample(
        program =>
        {
            using (HeapModel model = new(program.Options))
            {
                foreach (var step in program.Steps)
                {
                    model.Run(step);
                }

                model.Finish();
            }

            if (Interlocked.Increment(ref _programs) % ProgramsBetweenCollections == 0)
            {
                GC.Collect();
            }
        },
        iter: Effort.Choose(1500, 50_000),
        threads: 2,
        print: program => $"{program.Options}\n{string.Join('\n', program.Steps)}");
}
