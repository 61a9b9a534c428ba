using ShmAlloc.Allocation;
using ShmAlloc.Caching;
using ShmAlloc.Layout;
using ShmAlloc.Memory;
using ShmAlloc.Memory.Linux;

namespace ShmAlloc.Participants;

/// <summary>
/// What one process knows of a heap that it has attached. Private memory outside the managed heap: it dies with the process, and nobody
/// else ever sees it. All of it but the addresses is a hint or belongs to the thread that holds the word in question.
/// </summary>
internal unsafe struct Attachment
{
    /// <summary>A power of two.</summary>
    internal const int NotedOwners = 16;

    internal const int UntoldEnds = 64;

    private const ulong Mixer = 0x9E3779B97F4A7C15;

    // Constant once attached.
    internal byte* UserBase;
    internal ulong* Bitmaps;
    internal ulong* BlockWords;
    internal ulong* Hints;
    internal ulong* Summaries;

    /// <summary>The summaries of the plane of free blocks.</summary>
    internal ulong* FreeSummaries;
    internal SlotLayout* Slots;
    internal HeaderLayout* Header;
    internal Shard* Shards;
    internal uint ShardMask;
    internal bool ReadOnly;
    internal Geometry Geometry;

    /// <summary>Requests above this many bytes are refused.</summary>
    internal ulong LargestRequest;

    /// <summary>One more than that, and 0 once disposal has begun: the one comparison that every allocation makes refuses both.</summary>
    internal ulong RequestLimit;

    /// <summary>Requests from this many bytes on do not fit in a bitmap word; 0 if read-only, or once disposal has begun.</summary>
    internal ulong ShortLimit;

    /// <summary>Committed blocks that this process has seen backed by the file; the header's word may be ahead of it.</summary>
    internal ulong Blocks;

    /// <summary>Our slot, or −1: there was none to be had (yet).</summary>
    internal int Slot;

    internal uint Epoch;

    internal uint ProcessId;

    /// <summary>After so many turns in which nothing changed, what is waited for is taken to stand still: see <see cref="Patience"/>.</summary>
    internal uint MaxTurns;

    /// <summary>Names this attachment among all that this process and those it was forked from have had: a reservation holds it.</summary>
    internal ulong Number;

    /// <summary>1 once disposal has begun; then no cell is taken any more.</summary>
    internal ulong Closing;

    /// <summary>1 when the slot has been given up and the mapping replaced.</summary>
    internal ulong Ended;

    /// <summary>Taken, never waited for, by the one thread that recovers the dead.</summary>
    internal ulong Probing;

    /// <summary>Taken by the one thread that gets a slot, or gives it up.</summary>
    internal ulong Joining;

    /// <summary>Threads that are in a call which needs the mapping: see <see cref="Visits{TMachine}"/>.</summary>
    internal ulong Visitors;

    /// <summary>Cells with smaller numbers than this are known to be read by scans: see <see cref="UsedCells{TMachine}"/>.</summary>
    internal ulong UsedCells;

    /// <summary>How often in a row there was no slot to be had.</summary>
    internal uint FailedJoins;

    /// <summary>The last number that a shard got.</summary>
    internal uint LastShardNumber;

    /// <summary>What stands above is read by every operation, and tickets are written: they share no cache line.</summary>
    private fixed ulong _line[8];

    /// <summary>Who of our threads uses which of our cells: see <see cref="Ticket"/>.</summary>
    internal fixed ulong Tickets[SlotLayout.Cells];

    /// <summary>Blocks of the run that a reservation holds, for each cell; 0 if it lies inside a block.</summary>
    internal fixed ulong ReservedRuns[SlotLayout.Cells];

    /// <summary>Units of the place that a reservation holds inside a block, for each cell.</summary>
    internal fixed uint ReservedUnits[SlotLayout.Cells];

    /// <summary>What the caller was given to hold on to under each cell: see <see cref="HandedOut"/>.</summary>
    internal fixed ulong Handed[SlotLayout.Cells];

    /// <summary>If that is all that the heap may have: it was full once, so that a cache makes room before it searches all of it.</summary>
    internal ulong FullBlocks;

    /// <summary>Before this time, by the coarse clock, the heap is not asked to grow for a cache: the system refused it a moment ago.</summary>
    internal ulong NoGrowthUntil;

    /// <summary>
    /// A cache found no room for so many units, and will find none before that time, unless something is freed: see <see cref="Refusals{TMachine}"/>.
    /// </summary>
    internal ulong RefusedUnits;
    internal ulong RefusedUntil;

    /// <summary>Where a cache found last that a place can be cleared: the next one looks there first.</summary>
    internal ulong PlaceBlock;

    /// <summary>Counts the waits of this process that were in vain: see <see cref="Caching.Retry"/>.</summary>
    internal ulong WaitsInVain;

    /// <summary>What a search for room waited for in vain, because it stands still: not waited for again until it has changed.</summary>
    internal ulong StandsStill;

    /// <summary>When that was, by the coarse clock.</summary>
    internal ulong StandsStillSince;

    /// <summary>Whether free blocks cannot be given back to the system: they are smaller than a page, or the file system makes no holes.</summary>
    internal bool KeepsStorage;

    /// <summary>For how many milliseconds a block must have been free before it is given back by itself; 0: for ever.</summary>
    internal ulong TrimAfter;

    /// <summary>Before this time, by the coarse clock, there is nothing to look for.</summary>
    internal ulong NextTrimLook;

    /// <summary>The last stamp of each cell's range: whoever has the ticket has it.</summary>
    internal fixed ulong Stamps[SlotLayout.Cells];

    /// <summary>The number of the flight that this process began last.</summary>
    internal uint LastFlight;

    /// <summary>Who works on what, of those whom nobody waits for, and when this process saw that first: see <see cref="FlightWait{TMachine}"/>.</summary>
    internal fixed ulong NotedWords[NotedOwners];
    internal fixed ulong NotedSince[NotedOwners];

    /// <summary>How many flights have ended that could not tell others so, and which: see <see cref="UntoldEnds{TMachine}"/>.</summary>
    internal uint Untold;
    internal fixed ulong UntoldWords[UntoldEnds];
    internal fixed ulong UntoldNextWords[UntoldEnds];
    internal fixed ulong UntoldStamps[UntoldEnds];
    internal fixed ulong UntoldHashes[UntoldEnds];
    internal fixed uint UntoldCaches[UntoldEnds];

    /// <summary>Before this time, by the coarse clock, it is not asked again whether one of those lives.</summary>
    internal ulong NextLookAtOwner;

    /// <summary>What the heap's clock adds to the kernel's, as this process sees it; 0: not worked out yet.</summary>
    internal long ClockOffset;

    /// <summary>Before this time, by the coarse clock, the kernel is not asked again what its clock means: it has just refused to tell.</summary>
    internal ulong NextBootLook;

    /// <summary>What the heap's clock is ahead of the kernel's coarse one, and until when by that one this is known to be so.</summary>
    internal ulong TicksToClock;
    internal ulong TicksKnownUntil;

    /// <summary>What is known of the heap's caches.</summary>
    internal CacheTables Tables;

    /// <summary>What this attachment has added to the counters of each cache.</summary>
    internal fixed long Told[HeaderLayout.Caches * TableLayout.CounterWords];

    // What the platform needs to know.
    internal byte* Mapping;
    internal ulong MappingBytes;
    internal void* LockPage;
    internal int Descriptor;

    /// <summary>Why the file could not be opened by its path when that was last tried: the error number; 0: it could, or another file has the path.</summary>
    internal int FileError;
    internal ulong Device;
    internal ulong Inode;

    /// <summary>When the file was made; 0: its file system does not tell.</summary>
    internal ulong Birth;
    internal byte* Path;

    /// <summary>Room for a name beside the path, or a copy of the header, while the heap is opened.</summary>
    internal byte* Scratch;

    /// <summary>Where the heap is mapped, if the caller fixed that.</summary>
    internal Room Room;

    /// <summary>1 when the mapping has been replaced, so that nothing more happens at its address.</summary>
    internal ulong Retired;

    /// <summary>The attachment that this process left before this one.</summary>
    internal Attachment* NextLeft;
    internal ulong PrivateBytes;

    /// <summary>The same number for every attachment of a file, and hardly ever that of another file: of a copy, say, which has the same header.</summary>
    internal readonly ulong FileNumber => (((Inode * Mixer) ^ Birth) * Mixer) ^ Device;

    /// <summary>What the heap can grow to.</summary>
    internal readonly ulong WholeBytes => Geometry.MaximumBlocks << Geometry.BlockShift;

    /// <summary>What a block says that a shard uses.</summary>
    internal readonly uint NumberOf(Shard* shard) => (uint)(shard - Shards);

    /// <summary>The bitmap word of a unit.</summary>
    internal readonly ulong* BitmapOf(ulong unit) => Bitmaps + (unit >> BitmapWord.UnitsShift);

    internal readonly ulong BlockOf(ulong unit) => unit >> Geometry.UnitsPerBlockShift;

    internal readonly ulong FirstUnitOf(ulong block) => block << Geometry.UnitsPerBlockShift;

    internal readonly ulong* FirstWordOf(ulong block) => Bitmaps + (block * Geometry.WordsPerBlock);

    internal readonly ulong OffsetOf(ulong unit) => Geometry.Page + (unit << Geometry.UnitShift);

    /// <summary>Units for so many bytes; one for none.</summary>
    internal readonly uint UnitsFor(ulong sizeBytes)
    {
        uint units = (uint)((sizeBytes + Geometry.UnitMask) >> Geometry.UnitShift);
        return units == 0 ? 1 : units;
    }

    /// <summary>Sets the addresses of all regions of a mapped heap.</summary>
    internal void Place(byte* mapping, in Geometry geometry)
    {
        Mapping = mapping;
        fixed (Geometry* to = &Geometry, from = &geometry)
        {
            Words.Copy(to, from);
        }

        Header = (HeaderLayout*)mapping;
        Slots = (SlotLayout*)(mapping + geometry.SlotsAt);
        Summaries = (ulong*)(mapping + geometry.SummariesAt);
        FreeSummaries = Summaries + ((ulong)Layout.Geometry.FreePlane * geometry.SummaryWords);
        BlockWords = (ulong*)(mapping + geometry.BlockWordsAt);
        Hints = (ulong*)(mapping + geometry.HintsAt);
        Bitmaps = (ulong*)(mapping + geometry.BitmapsAt);
        UserBase = mapping + geometry.UserBaseAt;
        LargestRequest = geometry.LargestAllocation == 0 ? WholeBytes : Math.Min(geometry.LargestAllocation, WholeBytes);
        RequestLimit = LargestRequest + 1;
        ShortLimit = ReadOnly ? 0 : Math.Min(((ulong)BitmapWord.Units << geometry.UnitShift) + 1, RequestLimit);
        Slot = -1;
        Descriptor = -1;
    }
}
