using System.CommandLine;
using ShmAlloc.Tool.Running;

namespace ShmAlloc.Tool.Verbs;

/// <summary>Prints what a shell needs to complete verbs, options, heaps and names of caches: it asks the program, by the directive [suggest].</summary>
internal static class CompletionVerb
{
    private const string Bash = """
        # shmalloc: put this into ~/.bashrc as:  eval "$(shmalloc completion bash)"
        _shmalloc_complete() {
            local IFS=$'\n'
            COMPREPLY=($(shmalloc "[suggest:$COMP_POINT]" "$COMP_LINE" 2> /dev/null))
        }
        complete -o default -F _shmalloc_complete shmalloc
        """;

    private const string Zsh = """
        # shmalloc: put this into ~/.zshrc as:  eval "$(shmalloc completion zsh)"
        _shmalloc() {
            local -a found
            found=("${(@f)$(shmalloc "[suggest:$CURSOR]" "$BUFFER" 2> /dev/null)}")
            [[ -n $found ]] && compadd -U -- $found
        }
        compdef _shmalloc shmalloc
        """;

    private const string Fish = """
        # shmalloc: put this into ~/.config/fish/completions/shmalloc.fish
        function __shmalloc_complete
            set -l line (commandline -cp)
            shmalloc "[suggest:"(string length -- $line)"]" $line 2> /dev/null
        end
        complete -c shmalloc -f -a '(__shmalloc_complete)'
        """;

    internal static Command Create(VerbContext context)
    {
        Argument<string> shell = new("shell") { Description = "bash, zsh or fish." };
        shell.AcceptOnlyFromAmong("bash", "zsh", "fish");
        return context.ForAll("completion", "Prints what a shell needs to complete heaps and options.", [shell], (parsed, page) =>
        {
            page.Line(parsed.GetRequiredValue(shell) switch { "bash" => Bash, "zsh" => Zsh, _ => Fish });
            return ExitCode.Fine;
        });
    }
}
