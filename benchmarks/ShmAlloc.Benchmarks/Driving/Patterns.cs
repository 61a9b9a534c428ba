using System.Runtime.CompilerServices;

namespace ShmAlloc.Benchmarks.Driving;

/// <summary>The workloads, on one allocator: the same as <c>benchmarks/peers/patterns.c</c>, where their comments are.</summary>
internal static unsafe class Patterns<TSubject>
    where TSubject : struct, ISubject
{
    /// <summary>
    /// The loops run so many operations at a time: a method that is called often is compiled as those of a program are, with what was learnt about
    /// the calls, while one long loop would be stuck in what the compiler replaces in the middle of it.
    /// </summary>
    private const int Chunk = 256;

    private const int LarsonSlots = 1024;
    private const int LarsonEpochs = 16;
    private const int ThreadtestObjects = 10_000;

    internal static Pattern Find(string name) => name switch
    {
        "pair" or "idle" => new Pattern(PrepareNothing, Pair),
        "churn" => new Pattern(PrepareChurn, Churn),
        "full" => new Pattern(PrepareFull, Churn),
        "refused" => new Pattern(FillPattern, Refused),
        "handover" => new Pattern(PrepareNothing, ProducerConsumer, Share: 2),
        "larson" => new Pattern(PrepareLarson, Larson),
        "threadtest" => new Pattern(PrepareThreadtest, Threadtest),
        "attach" => new Pattern(PrepareNothing, Attach),
        "create" => new Pattern(PrepareNothing, Create),
        _ => throw new ArgumentException($"There is no pattern '{name}'."),
    };

    /// <summary>Allocates until the heap is full, and frees it again.</summary>
    internal static (long Count, long Bytes, long Rounded) FillUntilFull(Worker worker)
    {
        List<ulong> handles = [];
        long bytes = 0;
        long rounded = 0;
        while (true)
        {
            uint size = Sizes.Size(Sizes.Next(ref worker.Random));
            ulong handle = TSubject.Allocate(size);
            if (handle == 0)
            {
                break;
            }

            handles.Add(handle);
            bytes += size;
            rounded += (size + 31) / 32 * 32;
        }

        handles.ForEach(TSubject.Free);
        return (handles.Count, bytes, rounded);
    }

    private static void PrepareNothing(Worker worker, Parameters parameters)
    {
    }

    private static void Pair(Worker worker, Parameters parameters, long operations)
    {
        uint size = parameters.Largest;
        worker.Coordination.Meet();
        worker.StartClock();
        for (long done = 0; done < operations; done += Chunk)
        {
            worker.Failures += PairChunk(size, Math.Min(Chunk, operations - done));
        }

        worker.StopClock();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long PairChunk(uint size, long operations)
    {
        long failures = 0;
        for (long done = 0; done < operations; done++)
        {
            ulong handle = TSubject.Allocate(size);
            if (handle == 0)
            {
                failures++;
                continue;
            }

            TSubject.Free(handle);
        }

        return failures;
    }

    private static void PrepareChurn(Worker worker, Parameters parameters)
    {
        worker.LiveCount = parameters.Live;
        worker.Live = new ulong[worker.LiveCount];
        for (int index = 0; index < worker.Live.Length; index++)
        {
            worker.Live[index] = TSubject.Allocate(Sizes.Size(Sizes.Next(ref worker.Random)));
        }
    }

    private static void Churn(Worker worker, Parameters parameters, long operations)
    {
        bool touch = parameters.Touch;
        worker.Coordination.Meet();
        worker.StartClock();
        for (long done = 0; done < operations; done += Chunk)
        {
            worker.Failures += ChurnChunk(ref worker.Random, worker.Live, (ulong)worker.LiveCount, touch, Math.Min(Chunk, operations - done));
        }

        worker.StopClock();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long ChurnChunk(ref ulong randomState, ulong[] live, ulong count, bool touch, long operations)
    {
        ulong state = randomState;
        long failures = 0;
        for (long done = 0; done < operations; done++)
        {
            ulong random = Sizes.Next(ref state);
            ref ulong victim = ref live[Sizes.Victim(random, count)];
            if (victim != 0)
            {
                TSubject.Free(victim);
            }

            ulong handle = TSubject.Allocate(Sizes.Size(random));
            victim = handle;
            if (handle == 0)
            {
                failures++;
            }
            else if (touch)
            {
                Volatile.Write(ref *(ulong*)TSubject.Address(handle), random);
            }
        }

        randomState = state;
        return failures;
    }

    private static void FillPattern(Worker worker, Parameters parameters)
    {
        List<ulong> live = [];
        ulong handle;
        while ((handle = TSubject.Allocate(Sizes.Size(Sizes.Next(ref worker.Random)))) != 0)
        {
            live.Add(handle);
        }

        worker.Live = [.. live];
        worker.LiveCount = live.Count;
    }

    private static void PrepareFull(Worker worker, Parameters parameters)
    {
        FillPattern(worker, parameters);
        worker.Coordination.Meet();
        long remaining = worker.LiveCount * parameters.Percent / 100;
        while (worker.LiveCount > remaining)
        {
            ref ulong victim = ref worker.Live[Sizes.Victim(Sizes.Next(ref worker.Random), (ulong)worker.LiveCount)];
            TSubject.Free(victim);
            victim = worker.Live[--worker.LiveCount];
        }
    }

    private static void Refused(Worker worker, Parameters parameters, long operations)
    {
        uint request = parameters.Request;
        worker.Coordination.Meet();
        worker.StartClock();
        for (long done = 0; done < operations; done++)
        {
            worker.Failures += TSubject.Allocate(request) != 0 ? 1 : 0;
        }

        worker.StopClock();
    }

    private static void ProducerConsumer(Worker worker, Parameters parameters, long operations)
    {
        bool produces = worker.Id % 2 == 0;
        long batches = (operations + Coordination.ArrayLength - 1) / Coordination.ArrayLength;
        for (long batch = 0; batch <= batches; batch++)
        {
            worker.Coordination.Meet();
            if (produces && batch < batches)
            {
                ulong* array = worker.Coordination.Array(worker.Id + (int)(batch % 2));
                worker.StartClock();
                for (int first = 0; first < Coordination.ArrayLength; first += Chunk)
                {
                    ProduceChunk(worker, array + first);
                }

                worker.StopClock();
            }
            else if (!produces && batch > 0)
            {
                ulong* array = worker.Coordination.Array(worker.Id - 1 + (int)((batch - 1) % 2));
                worker.StartClock();
                for (int first = 0; first < Coordination.ArrayLength; first += Chunk)
                {
                    ConsumeChunk(array + first);
                }

                worker.StopClock();
            }
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ProduceChunk(Worker worker, ulong* array)
    {
        for (int index = 0; index < Chunk; index++)
        {
            ulong handle = TSubject.Allocate(Sizes.Size(Sizes.Next(ref worker.Random)));
            array[index] = handle;
            worker.Failures += handle == 0 ? 1 : 0;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ConsumeChunk(ulong* array)
    {
        for (int index = 0; index < Chunk; index++)
        {
            if (array[index] != 0)
            {
                TSubject.Free(array[index]);
            }
        }
    }

    private static void PrepareLarson(Worker worker, Parameters parameters)
    {
        ulong* array = worker.Coordination.Array(worker.Id);
        for (int index = 0; index < LarsonSlots; index++)
        {
            array[index] = TSubject.Allocate(Sizes.Size(Sizes.Next(ref worker.Random)));
        }
    }

    private static void Larson(Worker worker, Parameters parameters, long operations)
    {
        for (int epoch = 0; epoch < LarsonEpochs; epoch++)
        {
            worker.Coordination.Meet();
            ulong* array = worker.Coordination.Array((worker.Id + epoch) % worker.Count);
            worker.StartClock();
            for (long done = 0; done < operations / LarsonEpochs; done += Chunk)
            {
                LarsonChunk(worker, array, Math.Min(Chunk, (operations / LarsonEpochs) - done));
            }

            worker.StopClock();
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void LarsonChunk(Worker worker, ulong* array, long operations)
    {
        for (long done = 0; done < operations; done++)
        {
            ulong random = Sizes.Next(ref worker.Random);
            ref ulong victim = ref array[Sizes.Victim(random, LarsonSlots)];
            if (victim != 0)
            {
                TSubject.Free(victim);
            }

            victim = TSubject.Allocate(Sizes.Size(random));
            worker.Failures += victim == 0 ? 1 : 0;
        }
    }

    private static void PrepareThreadtest(Worker worker, Parameters parameters) => worker.Live = new ulong[ThreadtestObjects];

    private static void Threadtest(Worker worker, Parameters parameters, long operations)
    {
        worker.Coordination.Meet();
        worker.StartClock();
        for (long done = 0; done < operations; done += ThreadtestObjects)
        {
            for (int first = 0; first < ThreadtestObjects; first += Chunk)
            {
                AllocateChunk(worker.Live.AsSpan(first, Math.Min(Chunk, ThreadtestObjects - first)), parameters.Largest);
            }

            for (int first = 0; first < ThreadtestObjects; first += Chunk)
            {
                worker.Failures += FreeChunk(worker.Live.AsSpan(first, Math.Min(Chunk, ThreadtestObjects - first)));
            }
        }

        worker.StopClock();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void AllocateChunk(Span<ulong> handles, uint size)
    {
        foreach (ref ulong handle in handles)
        {
            handle = TSubject.Allocate(size);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int FreeChunk(ReadOnlySpan<ulong> handles)
    {
        int failures = 0;
        foreach (ulong handle in handles)
        {
            if (handle == 0)
            {
                failures++;
                continue;
            }

            TSubject.Free(handle);
        }

        return failures;
    }

    private static void Attach(Worker worker, Parameters parameters, long operations)
    {
        for (long done = 0; done < operations; done++)
        {
            TSubject.Close();
            worker.StartClock();
            TSubject.Open(parameters, parameters.Path);
            worker.StopClock();
        }
    }

    private static void Create(Worker worker, Parameters parameters, long operations)
    {
        string path = $"{parameters.Path}-new";
        TSubject.Close();
        for (long done = 0; done < operations; done++)
        {
            worker.StartClock();
            TSubject.Create(parameters, path);
            worker.StopClock();
            TSubject.Close();
            File.Delete(path);
        }

        TSubject.Open(parameters, parameters.Path);
    }
}

/// <summary>A workload.</summary>
/// <param name="Prepare">Done once.</param>
/// <param name="Run">Done in each round.</param>
/// <param name="Share">A worker does so much of each operation: 1 all of it, 2 half of it.</param>
internal sealed record Pattern(Action<Worker, Parameters> Prepare, Action<Worker, Parameters, long> Run, int Share = 1);
