namespace ShmAlloc.Tool.Running;

/// <summary>What a run has of the world, so that a test can give it another one.</summary>
internal sealed record Surroundings
{
    /// <summary>Where data goes; nothing else does.</summary>
    internal required TextWriter Output { get; init; }

    /// <summary>The same, for bytes that are no text.</summary>
    internal required Stream RawOutput { get; init; }

    /// <summary>Where messages and progress go.</summary>
    internal required TextWriter Error { get; init; }

    internal bool IsOutputTerminal { get; init; }

    internal bool IsErrorTerminal { get; init; }

    /// <summary>Columns of the terminal, if the output is one.</summary>
    internal int TerminalColumns { get; init; }

    /// <summary>An environment variable; null: not set.</summary>
    internal Func<string, string?> Variable { get; init; } = Environment.GetEnvironmentVariable;

    /// <summary>The time of day.</summary>
    internal TimeProvider Clock { get; init; } = TimeProvider.System;

    /// <summary>By what clock caches are read; null: that of the heap.</summary>
    internal TimeProvider? CacheClock { get; init; }

    /// <summary>Where heaps are looked for.</summary>
    internal string SharedMemory { get; init; } = "/dev/shm";

    /// <summary>Where the kernel tells of processes.</summary>
    internal string Processes { get; init; } = "/proc";

    /// <summary>Where it tells of control groups.</summary>
    internal string ControlGroups { get; init; } = "/sys/fs/cgroup";

    /// <summary>Where the system's configuration lies.</summary>
    internal string Configuration { get; init; } = "/etc";

    /// <summary>Bytes that the file system of a directory has, and how many of them are free; zeros: not known.</summary>
    internal Func<string, (long SizeBytes, long FreeBytes)> SpaceOf { get; init; } = Space;

    /// <summary>Waits; returns early if the run is interrupted.</summary>
    internal Action<TimeSpan, CancellationToken> Wait { get; init; } = (time, interrupted) => interrupted.WaitHandle.WaitOne(time);

    /// <summary>Set when the user has pressed Ctrl-C.</summary>
    internal CancellationToken Interrupted { get; init; }

    /// <summary>Of this process.</summary>
    internal static Surroundings OfProcess(CancellationToken interrupted)
    {
        DescriptorStream output = new(DescriptorStream.Output);
        bool isTerminal = !Console.IsOutputRedirected;
        return new Surroundings
        {
            Output = new StreamWriter(output, bufferSize: 1 << 15) { AutoFlush = false, NewLine = "\n" },
            RawOutput = output,
            Error = new StreamWriter(new DescriptorStream(DescriptorStream.Error)) { AutoFlush = true, NewLine = "\n" },
            IsOutputTerminal = isTerminal,
            IsErrorTerminal = !Console.IsErrorRedirected,
            TerminalColumns = isTerminal ? Terminal.Columns() : 0,
            Interrupted = interrupted,
        };
    }

    private static (long SizeBytes, long FreeBytes) Space(string directory)
    {
        try
        {
            DriveInfo drive = new(directory);
            return (drive.TotalSize, drive.AvailableFreeSpace);
        }
        catch (Exception unknown) when (unknown is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return (0, 0);
        }
    }
}
