using System.Reflection;
using System.Runtime.Loader;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using ShmAlloc.Tests.Tidy;
using ShmAlloc.TestSupport;

namespace ShmAlloc.Samples.Tests;

/// <summary>The C# on the pages of documentation compiles, runs, and prints what it says that it prints.</summary>
public sealed partial class DocumentedCodeTests : IDisposable
{
    private const string Fence = "```";

    private readonly TemporaryHeapPath _heap = new();

    public void Dispose() => _heap.Dispose();

    /// <summary>A page whose pieces of code are one program: what one of them declares, the later ones use.</summary>
    [Theory]
    [InlineData("docs/caching.md")]
    public void A_page_of_code_does_what_it_says(string page) => Check(string.Join('\n', Blocks(page)));

    [Fact]
    public void The_first_program_with_a_cache_does_what_it_says() =>
        Check(Assert.Single(Blocks("README.md"), block => block.Contains("SharedCache", StringComparison.Ordinal)));

    /// <summary>F65: also where memory is not zero, and where another process is quicker.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void F65_the_first_program_prints_what_the_first_process_said(bool isOtherQuicker)
    {
        using ShmHeap heap = ShmHeap.Create(_heap.Value, new ShmHeapOptions { SizeBytes = 64 << 10 });
        UseAllMemory(heap);
        string code = Assert.Single(Blocks("README.md"), block => block.Contains("CompareExchangeRoot", StringComparison.Ordinal));
        string program = HeapPath().Replace(code, $"\"{_heap.Value}\"");
        if (isOtherQuicker)
        {
            program = program.Replace("heap.CompareExchangeRoot(", "Other(heap).CompareExchangeRoot(", StringComparison.Ordinal) + """

                static ShmHeap Other(ShmHeap heap)
                {
                    ShmOffset quicker = heap.Calloc(1, 100);
                    "hello from another"u8.CopyTo(heap.GetSpan(quicker, 100));
                    heap.CompareExchangeRoot(0, quicker.Value, expected: 0);
                    return heap;
                }
                """;
        }

        string said = isOtherQuicker ? "hello from another\n" : $"hello from process {Environment.ProcessId}\n";
        Assert.Equal(said, Run(Compile(program)));
        Assert.Equal(said, Run(Compile(program)));
        Assert.Equal(1, heap.GetStatistics().Allocations);
    }

    /// <summary>Pages whose pieces of code are each for an application that has a <c>builder</c>; without an <c>app</c> in it, it is built.</summary>
    [Theory]
    [InlineData("docs/aspnetcore.md")]
    [InlineData("src/ShmAlloc.Extensions.Caching/README.md")]
    public void A_page_for_web_applications_registers_what_it_says(string page)
    {
        string[] blocks = [.. Blocks(page)];
        Assert.NotEmpty(blocks);
        Assert.All(blocks, block => Run(Compile(Application(block))));
    }

    [Fact]
    public void A_registration_that_does_not_compile_or_contradicts_itself_is_found_out()
    {
        Assert.ThrowsAny<Exception>(() => Run(Compile(Application("builder.Services.AddNoSuchCache();"))));
        Assert.ThrowsAny<Exception>(() => Run(Compile(Application("builder.Services.AddDistributedSharedMemoryCache(options => options.Name = \"a/b\");"))));
    }

    [Fact]
    public void Every_program_of_the_first_page_is_run() => Assert.Equal(2, Blocks("README.md").Count());

    [Fact]
    public void A_wrong_result_and_code_that_does_not_compile_are_found_out()
    {
        Assert.ThrowsAny<Exception>(() => Check("System.Console.WriteLine(2); // prints 3"));
        Assert.ThrowsAny<Exception>(() => Check("There.Is.No.Such.Thing();"));
    }

    /// <summary>Runs a program; each of its lines that ends with "// prints X" must print X, and nothing else may print.</summary>
    private void Check(string code)
    {
        string[] expected = [.. Prints().Matches(code).Select(match => match.Groups[1].Value.Trim())];
        string program = HeapPath().Replace(code, $"\"{_heap.Value}\"");
        string printed = Run(Compile(program));
        Assert.Equal(expected, printed.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    /// <summary>A program that registers what a piece of code does, makes the caches that it registers, and ends before it would serve anybody.</summary>
    private static string Application(string block) => $$"""
        using Microsoft.AspNetCore.Builder;
        using Microsoft.AspNetCore.Http;
        using Microsoft.Extensions.Caching.Distributed;
        using Microsoft.Extensions.Caching.Hybrid;
        using Microsoft.Extensions.Configuration;
        using Microsoft.Extensions.DependencyInjection;
        using Microsoft.Extensions.Options;
        using ShmAlloc.Extensions.Caching;

        WebApplicationBuilder builder = WebApplication.CreateBuilder();
        builder.Services.PostConfigureAll<SharedMemoryCacheOptions>(options => options.InProcess = true);
        {{block}}
        {{(block.Contains("WebApplication app", StringComparison.Ordinal) ? "" : "using WebApplication app = builder.Build();")}}
        app.Services.GetRequiredService<IStartupValidator>().Validate();
        app.Services.GetService<IDistributedCache>()?.Get("nothing");
        app.Services.GetService<HybridCache>();
        """;

    /// <summary>Nothing that is allocated from here on is zero by chance.</summary>
    private static void UseAllMemory(ShmHeap heap)
    {
        List<ShmOffset> used = [];
        while (heap.Malloc(100, out ShmStatus status) is { IsNull: false } place && status == ShmStatus.Ok)
        {
            heap.GetSpan(place, (int)heap.UsableSize(place)).Fill((byte)'x');
            used.Add(place);
        }

        used.ForEach(place => heap.Free(place));
    }

    private static IEnumerable<string> Blocks(string page)
    {
        List<string>? block = null;
        foreach (string line in RepositoryFiles.Lines(page))
        {
            if (block == null)
            {
                block = line == $"{Fence}csharp" ? [] : null;
            }
            else if (line.StartsWith(Fence, StringComparison.Ordinal))
            {
                yield return string.Join('\n', block);
                block = null;
            }
            else
            {
                block.Add(line);
            }
        }
    }

    private static Assembly Compile(string program)
    {
        const string globalUsings = """
            global using System; global using System.Collections.Generic; global using System.IO; global using System.Linq;
            global using System.Threading; global using System.Threading.Tasks;
            """;
        var parse = new CSharpParseOptions(LanguageVersion.Preview);
        string trusted = (string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!;
        CSharpCompilation compilation = CSharpCompilation.Create(
            $"Documented{Guid.NewGuid():N}",
            [CSharpSyntaxTree.ParseText(globalUsings, parse), CSharpSyntaxTree.ParseText(program, parse)],
            trusted.Split(Path.PathSeparator).Select(path => MetadataReference.CreateFromFile(path)),
            new CSharpCompilationOptions(OutputKind.ConsoleApplication, nullableContextOptions: NullableContextOptions.Enable, allowUnsafe: false));
        using var image = new MemoryStream();
        var result = compilation.Emit(image);
        Assert.True(result.Success, string.Join('\n', result.Diagnostics.Where(diagnostic => diagnostic.Severity >= DiagnosticSeverity.Warning)));
        image.Position = 0;
        return AssemblyLoadContext.Default.LoadFromStream(image);
    }

    private static string Run(Assembly program)
    {
        TextWriter console = Console.Out;
        using var output = new StringWriter();
        Console.SetOut(output);
        try
        {
            program.EntryPoint!.Invoke(null, [Array.Empty<string>()]);
        }
        finally
        {
            Console.SetOut(console);
        }

        return output.ToString();
    }

    [GeneratedRegex("// prints (.*)")]
    private static partial Regex Prints();

    [GeneratedRegex("\"/dev/shm/[^\"]*\"")]
    private static partial Regex HeapPath();
}
