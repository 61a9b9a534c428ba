using System.CommandLine;
using System.CommandLine.Completions;
using ShmAlloc.Inspection;
using ShmAlloc.Tool.Heaps;
using ShmAlloc.Tool.Output;

namespace ShmAlloc.Tool.Running;

/// <summary>What all verbs have in common: the options that each of them understands, the heap that it is about, and how it ends.</summary>
internal sealed class VerbContext(Surroundings surroundings)
{
    private const string PathVariable = ShmHeap.PathVariable;

    internal Surroundings Surroundings { get; } = surroundings;

    internal Option<bool> Json { get; } = new("--json") { Description = "Print JSON for programs.", Recursive = true };

    internal Option<bool> Ascii { get; } = new("--ascii") { Description = "Print nothing but ASCII. [default: if the locale is not UTF-8]", Recursive = true };

    internal Option<string> Color { get; } = MakeColor();

    /// <summary>A verb about one heap, which is its first argument.</summary>
    internal Command ForHeap(string name, string description, IEnumerable<Symbol> symbols, Func<ParseResult, Page, string, ExitCode> run)
    {
        Argument<string?> heap = HeapArgument();
        Command command = new(name, description) { heap };
        AddAll(command, symbols);
        command.SetAction(parsed => Run(parsed, page => run(parsed, page, PathOf(parsed.GetValue(heap)))));
        return command;
    }

    /// <summary>A verb about a heap and a key. If there is but one argument, it is the key, and the heap that of the environment.</summary>
    internal Command ForKey(string name, string description, IEnumerable<Symbol> symbols, Func<ParseResult, Page, string, string, ExitCode> run)
    {
        Argument<string[]> both = new("heap> <key")
        {
            Description = $"The heap's file (left out: {PathVariable} of the environment), and the key.",
            Arity = new ArgumentArity(1, 2),
            HelpName = "heap> <key",
        };
        both.CompletionSources.Add(context => context.ParseResult.GetResult(both)?.Tokens.Count is null or <= 1 ? Heaps(context) : []);
        Command command = new(name, description) { both };
        AddAll(command, symbols);
        command.SetAction(parsed => Run(parsed, page =>
        {
            string[] given = parsed.GetRequiredValue(both);
            return run(parsed, page, PathOf(given.Length == 2 ? given[0] : null), given[^1]);
        }));
        return command;
    }

    /// <summary>A verb that is about no single heap.</summary>
    internal Command ForAll(string name, string description, IEnumerable<Symbol> symbols, Func<ParseResult, Page, ExitCode> run)
    {
        Command command = new(name, description);
        AddAll(command, symbols);
        command.SetAction(parsed => Run(parsed, page => run(parsed, page)));
        return command;
    }

    /// <summary>The option that names one of a heap's caches.</summary>
    internal Option<string?> Cache()
    {
        Option<string?> cache = new("--cache", "-c") { Description = "Name of a cache. [default: all, or the only one]", HelpName = "name" };
        cache.CompletionSources.Add(context => CachesOf(context));
        return cache;
    }

    /// <summary>The options of a verb that writes.</summary>
    internal static (Option<bool> Foreign, Option<string?> Mode) ForWriting()
    {
        Option<bool> foreign = new("--foreign") { Description = "Also a heap of another user, who is trusted." };
        Option<string?> mode = new("--mode") { Description = "Also a heap that others may write, with this mode, such as 0660.", HelpName = "octal" };
        mode.Validators.Add(result =>
        {
            if (TryMode(result.GetValueOrDefault<string?>()) == null)
            {
                result.AddError("--mode must be an octal number such as 0660.");
            }
        });
        return (foreign, mode);
    }

    internal static WriteOptions WriteOptionsOf(ParseResult parsed, (Option<bool> Foreign, Option<string?> Mode) options) =>
        new(parsed.GetValue(options.Foreign), TryMode(parsed.GetValue(options.Mode)) ?? default);

    /// <summary>The heaps that a shell may mean.</summary>
    internal IEnumerable<CompletionItem> Heaps(CompletionContext context)
    {
        string begun = context.WordToComplete ?? "";
        string directory = begun.Contains('/', StringComparison.Ordinal) ? Path.GetDirectoryName(begun) ?? "/" : Surroundings.SharedMemory;
        return HeapSearch.Candidates(directory)
            .Where(path => path.StartsWith(begun, StringComparison.Ordinal) && ShmFile.Examine(path).Layout != null)
            .Select(path => new CompletionItem(path));
    }

    private IEnumerable<CompletionItem> CachesOf(CompletionContext context)
    {
        string? path = context.ParseResult.CommandResult.Children.SelectMany(child => child.Tokens).Select(token => token.Value).FirstOrDefault(File.Exists)
            ?? Surroundings.Variable(PathVariable);
        if (path == null || ShmFile.Examine(path).Verdict != ShmFailure.None)
        {
            return [];
        }

        using ShmHeap heap = HeapSource.Look(path);
        return [.. new ShmInspector(heap).ReadCaches().Where(cache => !cache.Name.Any(char.IsControl)).Select(cache => new CompletionItem(cache.Name))];
    }

    private static Option<string> MakeColor()
    {
        Option<string> color = new("--color")
        {
            Description = "Colours: always, never, or auto: on a terminal, unless NO_COLOR is set.",
            HelpName = "when",
            DefaultValueFactory = _ => "auto",
            Recursive = true,
        };
        color.AcceptOnlyFromAmong("always", "never", "auto");
        return color;
    }

    private Argument<string?> HeapArgument()
    {
        Argument<string?> heap = new("heap")
        {
            Description = $"The heap's file. [default: {PathVariable} of the environment]",
            Arity = ArgumentArity.ZeroOrOne,
            HelpName = "heap",
        };
        heap.CompletionSources.Add(context => Heaps(context));
        return heap;
    }

    private string PathOf(string? given) => !string.IsNullOrEmpty(given) ? given
        : Surroundings.Variable(PathVariable) is { Length: > 0 } path ? path
        : throw new ToolException(ExitCode.Usage, $"which heap? Name its file, or set {PathVariable}; 'shmalloc find' shows which there are");

    private int Run(ParseResult parsed, Func<Page, ExitCode> run)
    {
        Page page = new(Surroundings, parsed.GetValue(Json), parsed.GetValue(Ascii) ? true : null, parsed.GetRequiredValue(Color));
        ExitCode code;
        try
        {
            code = run(page);
        }
        catch (ToolException refused)
        {
            page.Flush();
            page.Note(refused.Message);
            code = refused.Code;
        }

        page.Flush();
        return (int)(code | (Surroundings.Interrupted.IsCancellationRequested ? ExitCode.Interrupted : ExitCode.Fine));
    }

    private static void AddAll(Command command, IEnumerable<Symbol> symbols)
    {
        foreach (Symbol symbol in symbols)
        {
            if (symbol is Option option)
            {
                command.Add(option);
            }
            else
            {
                command.Add((Argument)symbol);
            }
        }
    }

    private static UnixFileMode? TryMode(string? text)
    {
        if (text == null)
        {
            return UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        try
        {
            return Convert.ToInt32(text, 8) is >= 0 and <= 0x1FF and var mode ? (UnixFileMode)mode : null;
        }
        catch (Exception wrong) when (wrong is FormatException or OverflowException or ArgumentException)
        {
            return null;
        }
    }
}
