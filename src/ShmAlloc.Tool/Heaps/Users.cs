using System.Globalization;

namespace ShmAlloc.Tool.Heaps;

/// <summary>Names of users, as this machine's /etc/passwd has them.</summary>
internal static class Users
{
    internal static string NameOf(uint user, string configuration)
    {
        string number = user.ToString(CultureInfo.InvariantCulture);
        return ProcessFiles.Lines(Path.Combine(configuration, "passwd")).Select(line => line.Split(':'))
            .FirstOrDefault(words => words.Length > 2 && words[2] == number)?[0] ?? $"user {number}";
    }
}
