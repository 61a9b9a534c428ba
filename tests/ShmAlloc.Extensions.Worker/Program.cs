using ShmAlloc.Extensions.Worker.Hybrid;
using ShmAlloc.ProcessTests.Worker;

namespace ShmAlloc.Extensions.Worker;

/// <summary>One process of several that share a file. It ends with its input.</summary>
internal static class Program
{
    private static async Task<int> Main(string[] arguments)
    {
        OrphanWatch.Start();
        switch (arguments)
        {
            case ["web", var path, var keys]:
                await using (var site = await Site.StartAsync(path, keys))
                {
                    Console.WriteLine(site.Address);
                    while (await Console.In.ReadLineAsync() != null)
                    {
                    }
                }

                return 0;
            case ["fusion", var path]:
                await using (var fused = Fused.Start(path))
                {
                    Console.WriteLine("ready");
                    while (await Console.In.ReadLineAsync() is { } line)
                    {
                        Console.WriteLine(await fused.DoAsync(line));
                    }
                }

                return 0;
            case ["hybrid", "ours" or "microsofts", "tagged" or "plain", var path, var history, .. { Length: 4 } numbers]:
                HybridCommand.Run(arguments[1] == "ours", arguments[2] == "tagged", path, history, numbers);
                return 0;
            default:
                await Console.Error.WriteLineAsync(
                    "usage: ShmAlloc.Extensions.Worker web <heap> <directory of keys> | fusion <heap> "
                    + "| hybrid ours|microsofts tagged|plain <heap> <history> <first log> <threads> <start> <ordinal>");
                return 2;
        }
    }
}
