using System.Buffers;
using System.Text;
using System.Text.Json;

namespace ShmAlloc.Tool.Output;

/// <summary>Documents for programs: each says which schema it has, to which things are only added.</summary>
internal static class Json
{
    internal const int Schema = 1;

    /// <summary>Larger numbers are not told exactly by most readers, and stand as text.</summary>
    private const ulong LargestNumber = 1UL << 53;

    /// <summary>Prints a document over several lines.</summary>
    internal static void Print(Page page, Action<Utf8JsonWriter> content) => Print(page, content, indented: true);

    /// <summary>Prints a document on a line of its own: one of many.</summary>
    internal static void PrintLine(Page page, Action<Utf8JsonWriter> content) => Print(page, content, indented: false);

    internal static void Number(this Utf8JsonWriter json, string name, ulong value)
    {
        if (value > LargestNumber)
        {
            json.WriteString(name, value.ToString(System.Globalization.CultureInfo.InvariantCulture));
        }
        else
        {
            json.WriteNumber(name, value);
        }
    }

    internal static void Number(this Utf8JsonWriter json, string name, long value)
    {
        if (value < 0)
        {
            json.WriteNumber(name, value);
        }
        else
        {
            json.Number(name, (ulong)value);
        }
    }

    /// <summary>Milliseconds since 1970, or null.</summary>
    internal static void Moment(this Utf8JsonWriter json, string name, DateTimeOffset? value)
    {
        if (value is { } moment)
        {
            json.WriteNumber(name, moment.ToUnixTimeMilliseconds());
        }
        else
        {
            json.WriteNull(name);
        }
    }

    /// <summary>Bytes that should be text; if they are not, they stand in base64 under a name that ends with 64.</summary>
    internal static void Bytes(this Utf8JsonWriter json, string name, ReadOnlySpan<byte> value)
    {
        if (Untrusted.IsText(value))
        {
            json.WriteString(name, value);
        }
        else
        {
            json.WriteBase64String(name + "64", value);
        }
    }

    private static void Print(Page page, Action<Utf8JsonWriter> content, bool indented)
    {
        ArrayBufferWriter<byte> buffer = new();
        using (Utf8JsonWriter json = new(buffer, new JsonWriterOptions { Indented = indented, NewLine = "\n" }))
        {
            json.WriteStartObject();
            json.WriteNumber("schema", Schema);
            content(json);
            json.WriteEndObject();
        }

        page.Line(Encoding.UTF8.GetString(buffer.WrittenSpan));
    }
}
