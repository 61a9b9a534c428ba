using System.Reflection;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;

namespace ShmAlloc.Simulation.Tests;

/// <summary>A variant of the core with one deliberate mistake: text that is replaced in its sources.</summary>
/// <param name="Name">What is wrong with it.</param>
/// <param name="Explore">Options for the simulator: where the mistake shows.</param>
/// <param name="Edits">File below src/ShmAlloc, text that must be there exactly once, and what to put in its place.</param>
internal sealed record BrokenVariant(string Name, string[] Explore, params (string File, string Before, string After)[] Edits)
{
    public override string ToString() => Name;

    /// <summary>Compiles the variant beside copies of the simulator's other files.</summary>
    internal void Build(string directory)
    {
        string binaries = Path.GetDirectoryName(SimulatorProgram.Assembly)!;
        foreach (string file in Directory.EnumerateFiles(binaries, "ShmAlloc*"))
        {
            File.Copy(file, Path.Combine(directory, Path.GetFileName(file)), overwrite: true);
        }

        string sources = Path.Combine(SimulatorProgram.Root, "src", "ShmAlloc");
        CSharpParseOptions parse = new(LanguageVersion.Preview);
        Version? version = AssemblyName.GetAssemblyName(Path.Combine(binaries, "ShmAlloc.dll")).Version;
        string attributes = $"{GlobalUsings}\n[assembly: System.Reflection.AssemblyVersion(\"{version}\")]";
        List<SyntaxTree> trees = [CSharpSyntaxTree.ParseText(attributes, parse)];
        HashSet<string> edited = [];
        foreach (string path in Directory.EnumerateFiles(sources, "*.cs", SearchOption.AllDirectories))
        {
            string name = Path.GetRelativePath(sources, path);
            if (name.StartsWith("build", StringComparison.Ordinal) || name.StartsWith("obj", StringComparison.Ordinal))
            {
                continue;
            }

            string text = File.ReadAllText(path);
            foreach ((_, string before, string after) in Edits.Where(edit => edit.File == name))
            {
                int count = text.Split(before).Length - 1;
                Assert.True(count == 1, $"'{Name}' does not fit the source any more: its text is {count} times in {name}.");
                text = text.Replace(before, after, StringComparison.Ordinal);
                edited.Add(name);
            }

            trees.Add(CSharpSyntaxTree.ParseText(text, parse, path));
        }

        Assert.Equal(Edits.Select(edit => edit.File).Distinct().Count(), edited.Count);
        string trusted = (string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!;
        IEnumerable<MetadataReference> references = trusted.Split(Path.PathSeparator)
            .Where(path => Path.GetFileName(path).StartsWith("System.", StringComparison.Ordinal) || Path.GetFileName(path) is "mscorlib.dll" or "netstandard.dll")
            .Where(path => !path.Contains(".packages", StringComparison.Ordinal))
            .Select(path => MetadataReference.CreateFromFile(path));
        CSharpCompilation compilation = CSharpCompilation.Create(
            "ShmAlloc",
            trees,
            references,
            new CSharpCompilationOptions(
                OutputKind.DynamicallyLinkedLibrary, optimizationLevel: OptimizationLevel.Release, allowUnsafe: true, nullableContextOptions: NullableContextOptions.Enable));
        var result = compilation.Emit(Path.Combine(directory, "ShmAlloc.dll"));
        Assert.True(result.Success, string.Join('\n', result.Diagnostics.Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error)));
    }

    private const string GlobalUsings = """
        global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq;
        global using System.Threading; global using System.Threading.Tasks;
        [assembly: System.Runtime.CompilerServices.InternalsVisibleTo("ShmAlloc.Simulation")]
        """;
}
