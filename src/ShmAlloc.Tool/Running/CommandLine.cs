using System.CommandLine;
using System.CommandLine.Invocation;
using ShmAlloc.Tool.Output;
using ShmAlloc.Tool.Verbs;

namespace ShmAlloc.Tool.Running;

/// <summary>The command line: which verbs there are, and what is the same for all of them.</summary>
internal static class CommandLine
{
    /// <summary>The error number EPIPE.</summary>
    private const int BrokenPipe = 32;

    private const string Description = """
        Looks into heaps of ShmAlloc: files that processes share memory and caches in.
        Verbs only look, take no participant slot and change nothing, unless they say so.

        Exit codes, of which several may be added up:
          0   fine
          1   the answer is no; or what was wrong has been put right
          4   something is wrong, and stays so
          8   it could not be done
          16  wrong usage
          32  interrupted
        """;

    /// <summary>Runs a command line.</summary>
    internal static ExitCode Run(IReadOnlyList<string> arguments, Surroundings surroundings)
    {
        VerbContext context = new(surroundings);
        RootCommand root = new(Description) { HelpName = "shmalloc" };
        root.Add(context.Json);
        root.Add(context.Ascii);
        root.Add(context.Color);
        foreach (Command verb in Verbs(context))
        {
            root.Add(verb);
        }

        ParseResult parsed = root.Parse(arguments);
        if (parsed.Errors.Count > 0 && parsed.Action is ParseErrorAction)
        {
            foreach (string message in parsed.Errors.Select(error => error.Message).Distinct())
            {
                surroundings.Error.WriteLine(Untrusted.Show(message, ascii: false));
            }

            surroundings.Error.WriteLine("See 'shmalloc --help'.");
            return ExitCode.Usage;
        }

        InvocationConfiguration configuration = new()
        {
            Output = surroundings.Output,
            Error = surroundings.Error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null,
        };
        try
        {
            int code = parsed.Invoke(configuration);
            surroundings.Output.Flush();
            return (ExitCode)code;
        }
        catch (IOException closed) when (closed.HResult == BrokenPipe)
        {
            // Who reads what we print wanted no more of it, as head does.
            return ExitCode.Fine;
        }
        catch (IOException failed)
        {
            surroundings.Error.WriteLine($"what was found could not be printed: {failed.Message}");
            return ExitCode.Failed;
        }
    }

    /// <summary>What shells are told when they ask; see <see cref="CompletionVerb"/>.</summary>
    private static IEnumerable<Command> Verbs(VerbContext context) =>
    [
        FindVerb.Create(context),
        InfoVerb.Create(context),
        PsVerb.Create(context),
        StatVerb.Create(context),
        MapVerb.Create(context),
        KeysVerb.Create(context),
        GetVerb.Create(context),
        KeyVerb.Create(context),
        SizesVerb.Create(context),
        VerifyVerb.Create(context),
        DoctorVerb.Create(context),
        ReapVerb.Create(context),
        CompletionVerb.Create(context),
    ];
}
