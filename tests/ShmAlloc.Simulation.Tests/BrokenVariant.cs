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

        Assert.All(Edits, edit => Assert.True(Sources.Value.ContainsKey(edit.File), $"'{Name}' edits {edit.File}, which is not there."));
        List<SyntaxTree> trees = [CSharpSyntaxTree.ParseText(Attributes(binaries), Parse)];
        foreach ((string name, SyntaxTree tree) in Sources.Value)
        {
            string text = tree.ToString();
            bool isEdited = false;
            foreach ((_, string before, string after) in Edits.Where(edit => edit.File == name))
            {
                int count = text.Split(before).Length - 1;
                Assert.True(count == 1, $"'{Name}' does not fit the source any more: its text is {count} times in {name}.");
                text = text.Replace(before, after, StringComparison.Ordinal);
                isEdited = true;
            }

            trees.Add(isEdited ? CSharpSyntaxTree.ParseText(text, Parse, tree.FilePath) : tree);
        }

        CSharpCompilation compilation = CSharpCompilation.Create(
            "ShmAlloc",
            trees,
            References.Value,
            new CSharpCompilationOptions(
                OutputKind.DynamicallyLinkedLibrary, optimizationLevel: OptimizationLevel.Release, allowUnsafe: true,
                nullableContextOptions: NullableContextOptions.Annotations));
        var result = compilation.Emit(Path.Combine(directory, "ShmAlloc.dll"));
        Assert.True(result.Success, string.Join('\n', result.Diagnostics.Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error)));
    }

    /// <summary>The sources of the core, by their names below it: read once for all variants.</summary>
    private static readonly Lazy<Dictionary<string, SyntaxTree>> Sources = new(() =>
    {
        string sources = Path.Combine(SimulatorProgram.Root, "src", "ShmAlloc");
        return Directory.EnumerateFiles(sources, "*.cs", SearchOption.AllDirectories)
            .Where(path => !Path.GetRelativePath(sources, path).StartsWith("build", StringComparison.Ordinal))
            .ToDictionary(path => Path.GetRelativePath(sources, path), path => CSharpSyntaxTree.ParseText(File.ReadAllText(path), Parse, path));
    });

    private static readonly Lazy<MetadataReference[]> References = new(() =>
    {
        string trusted = (string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!;
        return [.. trusted.Split(Path.PathSeparator)
            .Where(path => Path.GetFileName(path).StartsWith("System.", StringComparison.Ordinal) || Path.GetFileName(path) is "mscorlib.dll" or "netstandard.dll")
            .Where(path => !path.Contains(".packages", StringComparison.Ordinal))
            .Select(path => MetadataReference.CreateFromFile(path))];
    });

    private static readonly CSharpParseOptions Parse = new(LanguageVersion.Preview);

    private static string Attributes(string binaries) =>
        $"{GlobalUsings}\n[assembly: System.Reflection.AssemblyVersion(\"{AssemblyName.GetAssemblyName(Path.Combine(binaries, "ShmAlloc.dll")).Version}\")]";

    private const string GlobalUsings = """
        global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq;
        global using System.Threading; global using System.Threading.Tasks;
        [assembly: System.Runtime.CompilerServices.InternalsVisibleTo("ShmAlloc.Simulation")]
        """;
}
