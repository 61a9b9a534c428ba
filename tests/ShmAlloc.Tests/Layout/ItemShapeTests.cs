using ShmAlloc.Layout;

namespace ShmAlloc.Tests.Layout;

/// <summary>Where the parts of an item lie: processes of different versions must agree on it.</summary>
public sealed class ItemShapeTests
{
    [Fact]
    public void Parts_that_an_item_has_lie_one_after_the_other_and_others_take_no_room()
    {
        for (uint flags = 0; flags <= ItemShape.AllFlags; flags++)
        {
            foreach (var (tags, words) in ((int, uint)[])[(0, 0), (1, 1), (15, 15), (16, 16), (17, 32), (33, 48), (ItemShape.MaxTags, ItemShape.MaxTagWords)])
            {
                ItemShape shape = new(flags, cache: 15, tags, keyBytes: 1000, valueBytes: 70_000);
                uint at = 32;
                at += shape.Is(ItemShape.Sliding) ? 16u : 0;
                Assert.Equal(at, shape.ChecksumAt);
                at += shape.Is(ItemShape.Checked) ? 8u : 0;
                Assert.Equal(at, shape.TagsBegin);
                Assert.Equal(words, (uint)shape.Tags);
                Assert.Equal((15, 1000, 70_000u), ((int)shape.Cache, shape.KeyBytes, shape.ValueBytes));
                Assert.True(shape.IsKnown);
                var isPlain = !shape.Is(ItemShape.Sliding | ItemShape.Checked | ItemShape.Placeholder);
                Assert.Equal((isPlain && tags == 0, isPlain && tags == 1), (shape.IsPlainWithKey(1000, tagBytes: 0), shape.IsPlainWithKey(1000, tagBytes: 8)));
                Assert.False(shape.IsPlainWithKey(1001, tagBytes: 8 * words));
                at += 8 * words;
                Assert.Equal(at, shape.KeyBegins);
                Assert.Equal(at + 1000, shape.ValueBegins);
                Assert.Equal(at + 71_000UL, shape.WorkAt);
                Assert.Equal(at + 71_008UL, shape.StaleForAt);
                Assert.Equal(at + 71_000UL + (shape.Is(ItemShape.Worked) ? 16u : 0), shape.TotalBytes);
            }
        }
    }

    [Theory]
    [InlineData(0, 40)]
    [InlineData(1, 40)]
    [InlineData(7, 40)]
    [InlineData(8, 40)]
    [InlineData(9, 48)]
    public void What_lies_behind_the_value_is_aligned(uint valueBytes, ulong workAt)
    {
        ItemShape shape = new(ItemShape.Worked, cache: 0, tags: 0, keyBytes: valueBytes == 0 ? 1 : 0, valueBytes);
        Assert.Equal(workAt, shape.WorkAt);
        Assert.Equal(workAt + 16, shape.TotalBytes);
    }
}
