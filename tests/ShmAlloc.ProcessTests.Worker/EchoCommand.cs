namespace ShmAlloc.ProcessTests.Worker;

/// <summary><c>echo [prefix]</c>: prints every line that it reads, after the prefix, until its input ends.</summary>
internal static class EchoCommand
{
    public static int Run(string[] arguments)
    {
        var prefix = arguments is [var first, ..] ? first : "";
        while (Console.ReadLine() is { } line)
        {
            Console.WriteLine(prefix + line);
        }

        return 0;
    }
}
