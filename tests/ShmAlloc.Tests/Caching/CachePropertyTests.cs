using CsCheck;
using ShmAlloc.TestSupport;

namespace ShmAlloc.Tests.Caching;

/// <summary>Random programs of all operations against a simple model. The heap is large enough that nothing is dropped. A failure prints its seed.</summary>
public sealed class CachePropertyTests
{
    private static readonly Gen<CacheStep[]> Programs = Gen.Select(
        Gen.Enum<CacheStepKind>(),
        Gen.Int[0, MapModel.Keys - 1],
        Gen.Frequency((8, Gen.Int[0, 40]), (6, Gen.Int[0, 3000]), (2, Gen.Int[0, 30_000]), (1, Gen.Int[0, 70_000])),
        Gen.Int[0, 1000],
        (kind, key, length, number) => new CacheStep(kind, key, length, number)).Array[1, 200];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Any_program_agrees_with_the_model(bool checksums) => Programs.Sample(
        program =>
        {
            using MapModel model = new(checksums);
            foreach (var step in program)
            {
                model.Run(step);
            }

            model.Finish();
        },
        iter: Effort.Choose(80, 10_000),
        threads: 1);
}
