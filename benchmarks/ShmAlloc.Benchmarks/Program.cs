using System.Runtime.InteropServices;
using ShmAlloc.Benchmarks;

const string usage = """
    usage: ./bench allocator [--quick] [--rounds N] [--heap PATH]

    Measures malloc + free of this library beside the C library's malloc, in one run.
      --quick      fewer and shorter rounds: about half a minute
      --rounds N   rounds of each workload (default 11)
      --heap PATH  where to put the heap (default: a file in /dev/shm, removed at the end)
    """;

if (args is [] or ["--help", ..] or ["-h", ..])
{
    Console.WriteLine(usage);
    return args is [] ? 2 : 0;
}

int rounds = 11;
int pairs = 2_000_000;
string path = $"/dev/shm/shmalloc-bench-{Environment.ProcessId}";
for (int index = 1; index < args.Length; index++)
{
    switch (args[index])
    {
        case "--quick":
            rounds = 5;
            pairs = 500_000;
            break;
        case "--rounds" when index + 1 < args.Length && int.TryParse(args[index + 1], out rounds) && rounds > 0:
            index++;
            break;
        case "--heap" when index + 1 < args.Length:
            path = args[++index];
            break;
        default:
            Console.Error.WriteLine($"Do not understand '{args[index]}'.\n{usage}");
            return 2;
    }
}

if (args[0] != "allocator")
{
    Console.Error.WriteLine($"There is no benchmark '{args[0]}'.\n{usage}");
    return 2;
}

Console.WriteLine($"{RuntimeInformation.FrameworkDescription}, {RuntimeInformation.OSDescription}, {Environment.ProcessorCount} processors");
AllocatorBenchmark.Run(rounds, pairs, path);
return 0;
