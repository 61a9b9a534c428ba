namespace ShmAlloc.Memory.Linux;

/// <summary>Error numbers of system calls, besides those that <see cref="Libc"/> names: the same on x86-64 and arm64.</summary>
internal static class ErrorNumber
{
    internal const int InputOutput = 5;
    internal const int TryAgain = 11;
    internal const int NoMemory = 12;
    internal const int OtherDevice = 18;
    internal const int NoSuchDevice = 19;
    internal const int NotADirectory = 20;
    internal const int TooManyFilesInSystem = 23;
    internal const int TooManyFiles = 24;
    internal const int TextBusy = 26;
    internal const int FileTooLarge = 27;
    internal const int ReadOnlyFileSystem = 30;
    internal const int TooManyLinksOfFile = 31;
    internal const int NameTooLong = 36;
    internal const int Stale = 116;
}
