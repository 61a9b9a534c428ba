using ShmAlloc.Allocation;
using ShmAlloc.Layout;
using ShmAlloc.Participants;
using ShmAlloc.Tests.Support;

namespace ShmAlloc.Tests.Allocation;

/// <summary>How long a search waits for others, and how often.</summary>
public sealed unsafe class MeetingTests : IDisposable
{
    private const uint Turns = 3;

    private readonly NativeHeap _heap = new();

    public MeetingTests()
    {
        TestMachine.Now = 1_000_000;
        _heap.First->MaxTurns = Turns;
    }

    public void Dispose()
    {
        TestMachine.Now = 0;
        _heap.Dispose();
    }

    [Fact]
    public void What_stands_still_is_waited_for_once_and_not_again_for_ten_seconds()
    {
        Assert.InRange(LooksAt(block: 1), 2, (int)Turns + 1);
        Assert.Equal(0, LooksAt(block: 1));
        TestMachine.Now += 9_999;
        Assert.Equal(0, LooksAt(block: 1));
        TestMachine.Now += 1;
        Assert.InRange(LooksAt(block: 1), 2, (int)Turns + 1);
    }

    [Fact]
    public void What_was_waited_for_in_vain_does_not_keep_anybody_from_waiting_for_something_else()
    {
        LooksAt(block: 1);
        Assert.InRange(LooksAt(block: 2), 2, (int)Turns + 1);
    }

    [Fact]
    public void A_search_that_meets_changes_again_and_again_ends_with_why_the_heap_does_not_grow()
    {
        Meeting meeting = default;
        Patience patience = default;
        meeting.NoteChange();
        var looks = 0;
        while (meeting.TryWait<TestMachine>(_heap.First, ref patience))
        {
            looks++;
        }

        Assert.Equal((Meeting.MaxRounds, ShmStatus.FileSystemFull), (looks, meeting.Verdict(ShmStatus.FileSystemFull)));
    }

    [Fact]
    public void A_search_that_met_who_stands_still_ends_with_contended_and_one_that_met_nobody_with_why()
    {
        Meeting meeting = default;
        Assert.Equal(ShmStatus.OutOfMemory, meeting.Verdict(ShmStatus.OutOfMemory));
        meeting.NoteHeld(1, BlockWord.Busy(0));
        Assert.Equal(ShmStatus.Contended, meeting.Verdict(ShmStatus.OutOfMemory));
    }

    /// <summary>How often somebody who meets the same thing each time looks again.</summary>
    private int LooksAt(ulong block)
    {
        Patience patience = default;
        for (var looks = 0; ; looks++)
        {
            Meeting meeting = default;
            meeting.NoteHeld(block, BlockWord.Busy(0));
            if (!meeting.TryWait<TestMachine>(_heap.First, ref patience))
            {
                return looks;
            }
        }
    }
}
