using System.Globalization;
using System.Text;
using ShmAlloc.Benchmarks.Measuring;

namespace ShmAlloc.Benchmarks.HitRates.Traces;

/// <summary>
/// Reads a trace from a text file in UTF-8: one request per line, in the order of time.
/// <code>
/// # a comment; empty lines are skipped as well
/// user:4711 1834      a key without spaces, and the size of its value in bytes, 0 to 2147000000
/// user:4712           without a size, the value has 960 bytes
/// </code>
/// Keys are texts; they are compared byte by byte, and their lengths count. What is between key and size is any number of spaces, tabs or commas.
/// </summary>
internal static class TraceFile
{
    internal const int DefaultValueBytes = 960;
    internal const int MostValueBytes = 2_147_000_000;
    internal const int MostKeyBytes = 65_535;

    private static readonly char[] Separators = [' ', '\t', ','];

    /// <exception cref="BenchmarkException">The file cannot be read, or a line is wrong; the message says which.</exception>
    internal static Request[] Read(string path)
    {
        try
        {
            using StreamReader reader = new(path, new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true));
            return Read(reader, path);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or DecoderFallbackException)
        {
            throw new BenchmarkException($"The trace {path} cannot be read as text in UTF-8: {failure.Message}");
        }
    }

    internal static Request[] Read(TextReader reader, string name)
    {
        Dictionary<string, ulong> numbers = [];
        List<Request> requests = [];
        int line = 0;
        while (reader.ReadLine() is { } text)
        {
            line++;
            string[] words = text.Split(Separators, StringSplitOptions.RemoveEmptyEntries);
            if (words.Length == 0 || words[0].StartsWith('#'))
            {
                continue;
            }

            if (words.Length > 2)
            {
                throw Wrong(name, line, $"there are {words.Length} words, and not a key and a size");
            }

            int valueBytes = words.Length == 2 ? SizeOf(words[1], name, line) : DefaultValueBytes;
            int keyBytes = Encoding.UTF8.GetByteCount(words[0]);
            if (keyBytes > MostKeyBytes)
            {
                throw Wrong(name, line, $"the key has {keyBytes} bytes, and not at most {MostKeyBytes}");
            }

            if (!numbers.TryGetValue(words[0], out ulong number))
            {
                number = (ulong)numbers.Count;
                numbers.Add(words[0], number);
            }

            requests.Add(new Request(number, Request.EntryBytes(keyBytes, valueBytes)));
        }

        return requests.Count > 0 ? [.. requests] : throw new BenchmarkException($"The trace {name} has no requests.");
    }

    private static int SizeOf(string word, string name, int line) =>
        int.TryParse(word, NumberStyles.None, CultureInfo.InvariantCulture, out int bytes) && bytes <= MostValueBytes
            ? bytes
            : throw Wrong(name, line, $"'{word}' is no size in bytes from 0 to {MostValueBytes}");

    private static BenchmarkException Wrong(string name, int line, string what) => new($"{name}:{line}: {what}.");
}
