using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using ShmAlloc.Memory;

namespace ShmAlloc;

/// <summary>Puts a failure into a sentence that says what to do, with the figures that belong to it.</summary>
internal static class FailureText
{
    internal static ShmException ToException(in Failure failure, string path) =>
        new(failure.Reason, string.Create(CultureInfo.InvariantCulture, $"Heap '{path}': {Of(failure)}."));

    /// <summary>The sentence without the path and the full stop.</summary>
    internal static string Of(in Failure failure) => string.Create(CultureInfo.InvariantCulture, $"{Sentence(failure)}{Figures(failure)}");

    private static string Sentence(in Failure failure) =>
        failure.Cause != Cause.None ? Encoding.UTF8.GetString(CauseSentence.Of(failure.Cause))
        : failure.Reason switch
        {
            ShmFailure.SystemCall => $"{failure.Call} failed: {Marshal.GetPInvokeErrorMessage(failure.Error)}",
            ShmFailure.OptionsContradict =>
                $"{failure.Option} was given as {Limit(failure.Expected)}, and the file has {Limit(failure.Found)}; leave the option out or use another file",
            ShmFailure.InvalidOption => $"{failure.Option} = {failure.Expected} is out of range{Range(failure.Option)}",
            _ => Encoding.UTF8.GetString(FailureSentence.Of(failure.Reason)),
        };

    private static string Figures(in Failure failure)
    {
        ulong found = failure.Found;
        ulong expected = failure.Expected;
        return failure.Reason switch
        {
            ShmFailure.SystemCall => $" ({failure.Call}, error {failure.Error})",
            ShmFailure.ForeignOwner => $" (its owner is user {found}, and we are user {expected})",
            ShmFailure.ModeTooOpen => $" (it is {Octal(found)}, expected at most {Octal(expected)})",
            ShmFailure.LinkCount => $" (it has {found} names)",
            ShmFailure.NotAHeap => $" (it has {found} bytes)",
            ShmFailure.UnknownLayout => $" (it has layout version {found} or features of a later one; this library knows version {expected})",
            ShmFailure.Truncated => $" (it has {found} bytes and should have {expected})",
            ShmFailure.SparseReadOnly => $" ({found} of {expected} bytes have storage)",
            ShmFailure.FileSystemFull when expected != 0 => $" ({found} of {expected} bytes have storage)",
            _ => "",
        };
    }

    private static string Range(OptionName option) => option switch
    {
        OptionName.UnitBytes => ": a power of two from 16 to 4096",
        OptionName.BlockBytes => ": a power of two of 32 to 4096 units",
        OptionName.SizeBytes => ": it is at least 1, at most MaximumSizeBytes, and at most 2^40 units",
        OptionName.MaximumSizeBytes => ": at least 1 byte, and at most 2^40 units",
        OptionName.MaxParticipants => ": 1 to 65535",
        _ => "",
    };

    /// <summary>Of the options that a file has, only a limit can be 0: none.</summary>
    private static string Limit(ulong value) => value == 0 ? "no limit" : value.ToString(CultureInfo.InvariantCulture);

    private static string Octal(ulong mode) => "0" + Convert.ToString((long)mode, 8);
}
