using ShmAlloc.Layout;
using ShmAlloc.Memory;

namespace ShmAlloc.Native.Process;

/// <summary>What the original fixed when it was compiled, from the environment. The names are those of its macros.</summary>
/// <remarks>
/// A value that is no number is an error of whoever opens the heap, not silently something else. What was not set has a default at creation,
/// and is not compared with a heap that exists.
/// </remarks>
internal static unsafe class Settings
{
    private const ulong DefaultUnitBytes = 32;
    private const ulong DefaultLargestBytes = 4096;
    private const ulong DefaultMaximumBytes = 256UL << 20;

    /// <summary>More than .NET's default: the processes of a build are many.</summary>
    private const ulong DefaultParticipants = 512;

    private const ulong LargestPower = 62;

    private const ulong LongestTrimAfter = (ulong)int.MaxValue;

    /// <summary>The path of the heap, or null. SHM_PATH_ENV_NAME names the variable that holds it: SHM_FILE, if it is not set.</summary>
    internal static byte* Path()
    {
        byte* name = Variable("SHM_PATH_ENV_NAME"u8);
        byte* path = name != null ? NativeLibc.Variable(name) : Variable("SHM_FILE"u8);
        return path == null || *path == 0 ? null : path;
    }

    /// <summary>Reads all but the path.</summary>
    /// <param name="expected">What an existing heap must not contradict: what was said.</param>
    /// <param name="wanted">What to create: what was said, and defaults for the rest.</param>
    /// <returns>0, or the code of the failure.</returns>
    internal static int TryRead(out HeapSpecification expected, out HeapSpecification wanted)
    {
        expected = default;
        wanted = default;
        Detail wrong = TryPower("SHM_MIN_ALLOC_POW2"u8, out expected.UnitBytes, out bool isUnitZero) && !isUnitZero
            ? Detail.None
            : Detail.MinAllocVariable;
        Note(ref wrong, TryPower("SHM_MAX_ALLOC_POW2"u8, out expected.LargestAllocationBytes, out bool isUnlimited), Detail.MaxAllocVariable);
        Note(ref wrong, TryBytes("SHM_MAX_ALLOCATABLE_SHM_SIZE"u8, 10, out expected.MaximumSizeBytes), Detail.MaximumVariable);
        Note(ref wrong, TryBytes("SHM_INITIAL_SIZE"u8, 10, out ulong size), Detail.InitialSizeVariable);
        Note(ref wrong, TryBytes("SHM_MAX_PARTICIPANTS"u8, 10, out expected.Participants), Detail.ParticipantsVariable);
        Note(ref wrong, TryBytes("SHM_FILE_MODE"u8, 8, out ulong mode), Detail.ModeVariable);
        Note(ref wrong, TryNumber(Variable("SHM_TRIM_AFTER"u8), 10, out ulong trimAfter, out bool isTrimSet), Detail.TrimAfterVariable);
        expected.Mode = (uint)mode;
        expected.TrimAfter = isTrimSet ? Math.Min(trimAfter, LongestTrimAfter) : HeapSpecification.DefaultTrimAfter;
        expected.SizeBytes = size;
        expected.IsUnlimited = isUnlimited;
        fixed (HeapSpecification* to = &wanted, from = &expected)
        {
            Words.Copy(to, from);
        }

        Default(ref wanted.UnitBytes, DefaultUnitBytes);
        Default(ref wanted.LargestAllocationBytes, isUnlimited ? 0 : DefaultLargestBytes);
        wanted.DefaultMaximum = DefaultMaximumBytes;
        Default(ref wanted.Participants, DefaultParticipants);
        return wrong == Detail.None ? 0 : ErrorCode.Of(wrong);
    }

    /// <summary>The first one that is wrong is named.</summary>
    private static void Note(ref Detail wrong, bool isRead, Detail variable) => wrong = isRead || wrong != Detail.None ? wrong : variable;

    private static void Default(ref ulong value, ulong otherwise) => value = value == 0 ? otherwise : value;

    private static byte* Variable(ReadOnlySpan<byte> name)
    {
        // Text literals end with a zero that is not counted.
        fixed (byte* at = name)
        {
            return NativeLibc.Variable(at);
        }
    }

    /// <summary>An exponent of two; 0 says "no limit".</summary>
    private static bool TryPower(ReadOnlySpan<byte> name, out ulong bytes, out bool isZero)
    {
        bool isRead = TryNumber(Variable(name), 10, out ulong power, out bool isSet) && power <= LargestPower;
        isZero = isRead && isSet && power == 0;
        bytes = isRead && isSet && power != 0 ? 1UL << (int)power : 0;
        return isRead;
    }

    private static bool TryBytes(ReadOnlySpan<byte> name, uint radix, out ulong bytes) =>
        TryNumber(Variable(name), radix, out bytes, out bool isSet) && (!isSet || bytes != 0);

    /// <summary>Digits, and K, M or G for powers of 1024. Nothing at all is fine.</summary>
    private static bool TryNumber(byte* text, uint radix, out ulong number, out bool isSet)
    {
        number = 0;
        isSet = text != null && *text != 0;
        if (!isSet)
        {
            return true;
        }

        for (; (uint)(*text - '0') < radix; text++)
        {
            if (number > ulong.MaxValue / 16)
            {
                return false;
            }

            number = (number * radix) + (uint)(*text - '0');
        }

        int shift = (char)*text switch { 'K' or 'k' => 10, 'M' or 'm' => 20, 'G' or 'g' => 30, _ => 0 };
        text += shift == 0 ? 0 : 1;
        bool isWhole = *text == 0 && number <= ulong.MaxValue >> shift;
        number <<= shift;
        return isWhole;
    }
}
