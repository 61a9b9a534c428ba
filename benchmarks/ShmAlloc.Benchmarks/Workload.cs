using System.Diagnostics;

namespace ShmAlloc.Benchmarks;

/// <summary>What is measured: pairs of one size, or the random replacement of 8192 live objects of random sizes.</summary>
/// <param name="SmallestBytes">Smallest size.</param>
/// <param name="LargestBytes">Largest size; equal to the smallest for pairs.</param>
/// <param name="Threads">How many threads do it at once, each with objects of its own.</param>
internal sealed record Workload(int SmallestBytes, int LargestBytes, int Threads)
{
    private const int LiveObjects = 8192;
    private const int ChoiceCount = 1 << 16;

    internal bool IsPair => SmallestBytes == LargestBytes;

    internal string Name => (IsPair ? $"pair {LargestBytes} B" : $"churn {SmallestBytes}..{LargestBytes} B") + $", {Threads} thread{(Threads > 1 ? "s" : "")}";

    /// <summary>Runs it once.</summary>
    /// <returns>Nanoseconds for one malloc and one free, as each thread saw it: the mean over the threads.</returns>
    internal double Run<TSubject>(int pairs)
        where TSubject : struct, ISubject
    {
        using Barrier barrier = new(Threads);
        double[] nanoseconds = new double[Threads];
        Thread[] threads = [.. Enumerable.Range(0, Threads).Select(index => new Thread(() =>
        {
            nanoseconds[index] = IsPair ? Pairs<TSubject>(barrier, pairs) : Churn<TSubject>(barrier, pairs, index);
        }))];
        Array.ForEach(threads, thread => thread.Start());
        Array.ForEach(threads, thread => thread.Join());
        return nanoseconds.Average();
    }

    private double Pairs<TSubject>(Barrier barrier, int pairs)
        where TSubject : struct, ISubject
    {
        int size = LargestBytes;
        TSubject.Free(TSubject.Allocate(size));
        barrier.SignalAndWait();
        long start = Stopwatch.GetTimestamp();
        for (int pair = 0; pair < pairs; pair++)
        {
            TSubject.Free(TSubject.Allocate(size));
        }

        return Stopwatch.GetElapsedTime(start).TotalNanoseconds / pairs;
    }

    private double Churn<TSubject>(Barrier barrier, int pairs, int seed)
        where TSubject : struct, ISubject
    {
        // The choices are made before the clock runs.
        Random random = new(seed);
        int[] sizes = [.. Enumerable.Range(0, ChoiceCount).Select(_ => random.Next(SmallestBytes, LargestBytes + 1))];
        int[] victims = [.. Enumerable.Range(0, ChoiceCount).Select(_ => random.Next(LiveObjects))];
        ulong[] live = [.. Enumerable.Range(0, LiveObjects).Select(index => TSubject.Allocate(sizes[index]))];
        barrier.SignalAndWait();
        long start = Stopwatch.GetTimestamp();
        for (int pair = 0; pair < pairs; pair++)
        {
            int choice = pair & (ChoiceCount - 1);
            ref ulong victim = ref live[victims[choice]];
            TSubject.Free(victim);
            victim = TSubject.Allocate(sizes[choice]);
        }

        double nanoseconds = Stopwatch.GetElapsedTime(start).TotalNanoseconds / pairs;
        Array.ForEach(live, TSubject.Free);
        return nanoseconds;
    }
}
