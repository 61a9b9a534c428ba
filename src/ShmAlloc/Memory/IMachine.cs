using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using ShmAlloc.Participants;

namespace ShmAlloc.Memory;

/// <summary>
/// The seam. Everything that a heap does to the shared file, and everything that it learns about the world, goes through here, so that the
/// same source runs on the hardware and under a simulator that decides at every access who goes on and who dies.
/// </summary>
/// <remarks>
/// Implemented by structs, so that <c>Heap&lt;Hardware&gt;</c> compiles to plain instructions. The caller's file and line identify the place of
/// an access; the hardware ignores them, and nothing of them is left after inlining.
/// </remarks>
internal unsafe interface IMachine
{
    /// <summary>An acquire load.</summary>
    static abstract ulong Read(ulong* address, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0);

    /// <summary>Acquire loads of consecutive words, in any order.</summary>
    static abstract void ReadMany(
        ulong* from, ulong* to, int count, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0);

    /// <summary>Acquire loads of the eight words of a cache line, in any order.</summary>
    static abstract Vector512<ulong> ReadLine(ulong* from, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0);

    /// <summary>A release store; it may become visible after later loads of this thread.</summary>
    static abstract void Write(ulong* address, ulong value, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0);

    /// <summary>Stores <paramref name="value"/> if the word is <paramref name="comparand"/>; a full fence either way.</summary>
    /// <returns>What the word was.</returns>
    static abstract ulong CompareExchange(
        ulong* address, ulong value, ulong comparand, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0);

    /// <summary>An unconditional store that is a full fence: for announcements, which must be visible before the look that follows.</summary>
    static abstract void Announce(ulong* address, ulong value, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0);

    /// <summary>Sets bits; a full fence.</summary>
    static abstract void Or(ulong* address, ulong bits, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0);

    /// <summary>Keeps bits; a full fence.</summary>
    static abstract void And(ulong* address, ulong bits, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0);

    /// <summary>Fills an allocation with zeros that nobody else knows yet.</summary>
    static abstract void Clear(byte* address, ulong lengthBytes, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0);

    /// <summary>Fills memory that is not published yet.</summary>
    static abstract void CopyIn(byte* from, byte* to, ulong lengthBytes, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0);

    /// <summary>
    /// Copies shared memory that others may be changing; the caller finds out afterwards whether they did. What is read next is read after it.
    /// </summary>
    static abstract void CopyOut(byte* from, byte* to, ulong lengthBytes, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0);

    /// <summary>Compares shared memory, which others may be changing, with private memory. What is read next is read after it.</summary>
    static abstract bool IsEqual(byte* shared, byte* own, ulong lengthBytes, [CallerFilePath] string file = "", [CallerLineNumber] int line = 0);

    /// <summary>A load that decides nothing but what to prefetch.</summary>
    static abstract ulong Peek(ulong* address);

    /// <summary>Says that memory will be read soon; any address will do.</summary>
    static abstract void Prefetch(byte* address);

    /// <summary>Which shard of private hints to use: any number, best one that threads running at once do not share.</summary>
    static abstract uint Shard(Attachment* heap);

    /// <summary>Lets other threads go on that are in the middle of something.</summary>
    /// <param name="heap">The attachment.</param>
    /// <param name="turn">How often this was called since something changed: the wait becomes longer with each.</param>
    /// <returns>False after so many turns that whoever could go on would have.</returns>
    static abstract bool TryYield(Attachment* heap, uint turn);

    /// <summary>Sleeps while a word is what it was, until <see cref="WakeAll"/>, a signal, or the time is over.</summary>
    static abstract void WaitWhile(ulong* address, ulong value, uint mostMilliseconds);

    /// <summary>Wakes all who sleep at a word, in all processes.</summary>
    static abstract void WakeAll(ulong* address);

    /// <summary>Opens the means to ask who lives. False: it is not possible now.</summary>
    static abstract bool BeginProbing(Attachment* heap, out int probe);

    /// <summary>Gives back what <see cref="BeginProbing"/> opened.</summary>
    static abstract void EndProbing(Attachment* heap, int probe);

    /// <summary>Whether somebody holds the lock of a slot: its participant, or who is about to take it. If nobody does, its participant is dead.</summary>
    static abstract bool IsSlotHeld(Attachment* heap, int probe, int slot);

    /// <summary>Gets the lock of a slot for the life of this attachment: it is dropped by the kernel when the process dies.</summary>
    static abstract bool TryHoldSlot(Attachment* heap, int slot);

    /// <summary>Releases the lock of <see cref="TryHoldSlot"/>.</summary>
    static abstract void ReleaseSlot(Attachment* heap);

    /// <summary>Becomes one of those who are growing: any number at once, but nobody while another gives back.</summary>
    static abstract ShmStatus BeginGrowing(Attachment* heap, out nint growth);

    /// <summary>Preallocates what belongs to blocks <paramref name="from"/> to <paramref name="to"/> − 1. Repeating it does no harm.</summary>
    /// <returns>Ok, or why not; then storage may have been taken if <paramref name="isBegun"/>.</returns>
    static abstract ShmStatus TryCommit(Attachment* heap, nint growth, ulong from, ulong to, out bool isBegun);

    /// <summary>Stops growing and becomes the one who gives back. False: somebody is growing, or gives back.</summary>
    static abstract bool TryBeginGivingBack(Attachment* heap, ref nint growth);

    /// <summary>Takes the storage away from all blocks from <paramref name="from"/> on.</summary>
    static abstract void GiveBack(Attachment* heap, nint growth, ulong from);

    /// <summary>Ends growing or giving back.</summary>
    static abstract void EndGrowing(Attachment* heap, nint growth);

    /// <summary>Asks whether the file is long enough for so many blocks.</summary>
    static abstract Backing AskBacking(Attachment* heap, ulong blocks);

    /// <summary>
    /// Takes the storage of blocks <paramref name="from"/> to <paramref name="to"/> − 1, all of them committed. Until they were filled nothing may touch them.
    /// </summary>
    /// <returns>False: some of them may have lost it, others not.</returns>
    static abstract bool TryPunch(Attachment* heap, ulong from, ulong to);

    /// <summary>Gives storage to blocks <paramref name="from"/> to <paramref name="to"/> − 1, all of them committed. Repeating it does no harm.</summary>
    /// <returns>Ok, or why not; then some of them may have got it, others not. Contended: signals interrupted it again and again.</returns>
    static abstract ShmStatus TryFill(Attachment* heap, ulong from, ulong to);

    /// <summary>Milliseconds of a coarse clock that all processes of the machine share; 0: it is not known.</summary>
    static abstract ulong TickMilliseconds();

    /// <summary>Undoes the mapping of an attachment that has ended, so that a late access finds closed words instead of a fault.</summary>
    static abstract void Retire(Attachment* heap);
}
