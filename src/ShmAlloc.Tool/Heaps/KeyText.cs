using System.Text;
using ShmAlloc.Tool.Running;

namespace ShmAlloc.Tool.Heaps;

/// <summary>Keys as they are given on a command line.</summary>
internal static class KeyText
{
    /// <summary>Its UTF-8, or what it is in base64.</summary>
    /// <exception cref="ToolException">It is no base64, or too long for a key.</exception>
    internal static byte[] Parse(string key, bool isBase64)
    {
        byte[] bytes;
        try
        {
            bytes = isBase64 ? Convert.FromBase64String(key) : Encoding.UTF8.GetBytes(key);
        }
        catch (FormatException)
        {
            throw new ToolException(ExitCode.Usage, "the key is no base64");
        }

        const int longest = 0xFFFF;
        return bytes.Length <= longest ? bytes : throw new ToolException(ExitCode.Usage, $"a key has at most {longest} bytes, and this one {bytes.Length}");
    }
}
