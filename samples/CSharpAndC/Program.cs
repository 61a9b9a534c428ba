// Gives a C process work, and takes its results, through one heap:
//
//     CSharpAndC /dev/shm/work ./worker
//
// Both sides allocate what they send and free what they receive. Root 0 holds the task that waits, root 1 the result.
using System.Diagnostics;
using System.Text;
using ShmAlloc;

if (args is not [var path, var worker])
{
    Console.Error.WriteLine("usage: CSharpAndC HEAP WORKER");
    return 2;
}

using ShmHeap heap = ShmHeap.Open(path);
if (heap.ReadRoot(0) != 0 || heap.ReadRoot(1) != 0)
{
    Console.Error.WriteLine($"{path} has a task of another run. If that was killed, remove the file.");
    return 1;
}

ProcessStartInfo start = new(worker);
start.Environment[ShmHeap.PathVariable] = path;
using Process process = Process.Start(start)!;

foreach (string task in (string[])["racecar", "shared memory", "C# and C", ""])
{
    byte[] bytes = Encoding.UTF8.GetBytes(task + '\0');
    ShmOffset question = heap.Malloc(bytes.Length);
    bytes.CopyTo(heap.GetSpan(question, bytes.Length));
    if (heap.CompareExchangeRoot(0, question.Value, expected: 0) != 0)
    {
        heap.Free(question);
        return Disturbed();
    }

    // An empty text is the last one, and gets no answer.
    ulong answer = 0;
    while (task.Length > 0 && (answer = heap.ReadRoot(1)) == 0)
    {
        if (process.HasExited)
        {
            Console.Error.WriteLine($"The worker ended with {process.ExitCode}.");
            return 1;
        }

        Thread.Yield();
    }

    if (answer != 0)
    {
        // Whoever takes it out of the root has it: to read, and to free.
        if (heap.CompareExchangeRoot(1, 0, expected: answer) != answer)
        {
            return Disturbed();
        }

        ShmOffset place = new(answer);
        ReadOnlySpan<byte> text = heap.GetReadOnlySpan(place, (int)heap.UsableSize(place));
        Console.WriteLine($"{task} -> {Encoding.UTF8.GetString(text[..text.IndexOf((byte)0)])}");
        heap.Free(place);
    }
}

process.WaitForExit();
Console.WriteLine($"{heap.GetStatistics().Allocations} allocations left");
return process.ExitCode;

int Disturbed()
{
    Console.Error.WriteLine($"Another run uses {path}.");
    process.Kill();
    return 1;
}
