using System.Diagnostics;

namespace ShmAlloc.Native.Tests;

/// <summary>What a program did.</summary>
internal sealed record CommandResult(int ExitCode, string Output, string Errors)
{
    /// <summary>Both streams, for a failure's message.</summary>
    internal string Text => $"exit code {ExitCode}\n{Output}\n{Errors}";
}

/// <summary>Runs programs to their end, with a limit that only one that hangs ever meets.</summary>
internal static class Command
{
    /// <summary>Runs a program whose environment has none of our variables but those given.</summary>
    internal static Task<CommandResult> RunAsync(string program, IEnumerable<string> arguments, params (string Name, string Value)[] environment) =>
        RunAsync(program, arguments, "", environment);

    /// <summary>Runs a program with a text as its input.</summary>
    internal static async Task<CommandResult> RunAsync(
        string program, IEnumerable<string> arguments, string input, params (string Name, string Value)[] environment)
    {
        using var process = Start(program, arguments, environment);
        await SendAsync(process, input);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(Patience.ForAProgram);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var errors = process.StandardError.ReadToEndAsync(limit.Token);
            var result = new CommandResult(0, await output, await errors);
            await process.WaitForExitAsync(limit.Token);
            return result with { ExitCode = process.ExitCode };
        }
        finally
        {
            if (!process.HasExited)
            {
                process.Kill(entireProcessTree: true);
            }
        }
    }

    /// <summary>A program that ends before it has read its input says why by itself.</summary>
    private static async Task SendAsync(Process process, string input)
    {
        try
        {
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
        }
    }

    /// <summary>Starts a program with all streams redirected.</summary>
    internal static Process Start(string program, IEnumerable<string> arguments, params (string Name, string Value)[] environment)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        foreach (var name in start.Environment.Keys.Where(name => name.StartsWith("SHM_", StringComparison.Ordinal)).ToList())
        {
            start.Environment.Remove(name);
        }

        foreach (var (name, value) in environment)
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }
}
