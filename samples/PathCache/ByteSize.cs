using System.Globalization;

namespace PathCache;

/// <summary>Sizes as people write them.</summary>
internal static class ByteSize
{
    private static readonly string[] Units = ["bytes", "KiB", "MiB", "GiB", "TiB"];

    /// <summary>Reads <c>4096</c>, <c>64K</c>, <c>64M</c>, <c>1G</c>, also with <c>iB</c> or <c>B</c> behind.</summary>
    /// <returns>Bytes; null if it is no such thing, or not positive.</returns>
    public static long? TryParse(string text)
    {
        string digits = text.ToUpperInvariant().TrimEnd('B').TrimEnd('I');
        int power = digits.Length == 0 ? -1 : "KMGT".IndexOf(digits[^1], StringComparison.Ordinal);
        if (power >= 0)
        {
            digits = digits[..^1];
        }

        bool isNumber = long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out long value);
        int shift = 10 * (power + 1);
        return isNumber && value > 0 && value <= long.MaxValue >> shift ? value << shift : null;
    }

    /// <summary>Three digits and a unit.</summary>
    public static string Format(long bytes)
    {
        double value = bytes;
        int unit = 0;
        while (value >= 1024 && unit < Units.Length - 1)
        {
            value /= 1024;
            unit++;
        }

        string format = unit == 0 || value == Math.Floor(value) || value >= 100 ? "0" : value >= 10 ? "0.0" : "0.00";
        return $"{value.ToString(format, CultureInfo.InvariantCulture)} {Units[unit]}";
    }
}
