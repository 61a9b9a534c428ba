using System.CommandLine;
using System.Globalization;
using System.Text;
using ShmAlloc.Caching;
using ShmAlloc.Tool.Heaps;
using ShmAlloc.Tool.Output;
using ShmAlloc.Tool.Running;

namespace ShmAlloc.Tool.Verbs;

/// <summary>The value of a key.</summary>
internal static class GetVerb
{
    private const int BytesPerLine = 16;

    internal static Command Create(VerbContext context)
    {
        Option<string?> cache = context.Cache();
        Option<bool> raw = new("--raw", "-r") { Description = "The bytes as they are. [default: if the output is no terminal]" };
        Option<bool> hex = new("--hex", "-x") { Description = "In hexadecimal. [default: on a terminal, if it is no text]" };
        Option<bool> base64 = new("--base64") { Description = "The key is given in base64." };
        return context.ForKey("get", "Prints the value of a key.", [cache, raw, hex, base64], (parsed, page, path, key) =>
        {
            using ShmHeap heap = HeapSource.Look(path);
            SharedCache from = HeapSource.Cache(heap, parsed.GetValue(cache), context.Surroundings);
            byte[] bytes = KeyText.Parse(key, parsed.GetValue(base64));
            byte[]? value = from.Get(bytes);
            if (value == null)
            {
                page.Note($"cache '{page.Show(from.Name)}' has no value for this key");
                return ExitCode.No;
            }

            if (page.IsJson)
            {
                Json.Print(page, json =>
                {
                    json.WriteString("cache", from.Name);
                    json.Bytes("key", bytes);
                    json.Bytes("value", value);
                });
            }
            else if (parsed.GetValue(hex) || (!parsed.GetValue(raw) && context.Surroundings.IsOutputTerminal && !IsPlain(value)))
            {
                PrintHex(page, value);
            }
            else if (parsed.GetValue(raw) || !context.Surroundings.IsOutputTerminal)
            {
                page.Flush();
                context.Surroundings.RawOutput.Write(value);
                context.Surroundings.RawOutput.Flush();
            }
            else
            {
                foreach (string line in Encoding.UTF8.GetString(value).TrimEnd('\n').Split('\n'))
                {
                    page.Line(page.Show(line));
                }
            }

            return ExitCode.Fine;
        });
    }

    /// <summary>Whether it is text of which a terminal shows every letter.</summary>
    private static bool IsPlain(byte[] value) => Untrusted.IsText(value)
        && Encoding.UTF8.GetString(value).All(letter => letter is '\n' or '\t' or '\r' || !char.IsControl(letter));

    private static void PrintHex(Page page, byte[] value)
    {
        for (int at = 0; at < value.Length; at += BytesPerLine)
        {
            byte[] line = value[at..Math.Min(value.Length, at + BytesPerLine)];
            string hex = string.Join(' ', line.Select(one => one.ToString("x2", CultureInfo.InvariantCulture)));
            string text = string.Concat(line.Select(one => one is >= 0x20 and < 0x7F ? (char)one : '.'));
            page.Line(string.Create(CultureInfo.InvariantCulture, $"{at:x8}  {hex.PadRight((3 * BytesPerLine) - 1)}  {text}"));
        }
    }
}
