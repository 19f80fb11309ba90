namespace NetGo.Diagnostics.Tests;

public sealed class TimelineRowTests
{
    private const long Microsecond = 1000;
    private const long Millisecond = 1_000_000;

    private readonly SpawnSites _sites = new();
    private readonly int _a;
    private readonly int _b;
    private readonly TimelineRow _row;

    public TimelineRowTests()
    {
        _a = _sites.NumberOf("/src/A.cs", 1);
        _b = _sites.NumberOf("/src/B.cs", 2);
        _row = new TimelineRow(_sites) { Limit = 100 };
    }

    [Fact]
    public void A_long_run_is_an_item_of_its_own()
    {
        Run(1 * Millisecond, 7, _a, 20 * Millisecond, SliceEnd.Ended);
        _row.Cut(30 * Millisecond);
        TimelineRow.Item item = Assert.Single(_row.Items);
        Assert.Equal(new TimelineRow.Item(1 * Millisecond, 21 * Millisecond, _a, 7, 1, 20 * Millisecond, SliceEnd.Ended), item);
    }

    [Fact]
    public void Short_runs_are_merged_and_count_for_where_most_of_them_are_from()
    {
        for (int i = 0; i < 50; i++)
            Run((100 + (i * 20)) * Microsecond, i, i % 3 == 0 ? _a : _b, 10 * Microsecond, SliceEnd.Parked(WaitReason.Sleep));
        _row.Cut(30 * Millisecond);
        TimelineRow.Item item = Assert.Single(_row.Items);
        Assert.Equal((50, 500 * Microsecond, _b, 0L, SliceEnd.Several), (item.Runs, item.Busy, item.Site, item.Goroutine, item.End));
        Assert.Equal(170 * Microsecond, _sites.CountsOf(_a).Nanoseconds);
        Assert.Equal(330 * Microsecond, _sites.CountsOf(_b).Nanoseconds);
    }

    [Fact]
    public void Runs_far_from_each_other_are_not_merged()
    {
        Run(1 * Millisecond, 1, _a, 10 * Microsecond, SliceEnd.Ended);
        Run(5 * Millisecond, 2, _a, 10 * Microsecond, SliceEnd.Ended);
        _row.Cut(30 * Millisecond);
        Assert.Equal([1L, 2L], _row.Items.Select(static i => i.Goroutine));
    }

    [Fact]
    public void There_are_never_more_items_than_the_limit_and_one()
    {
        for (int i = 0; i < 10_000; i++)
            Run(i * 3 * Millisecond, i, _a, 2 * Millisecond, SliceEnd.Ended);
        _row.Cut(long.MaxValue);
        Assert.InRange(_row.Items.Count, 100, 101);
        Assert.Equal(10_000, _row.Items.Sum(static i => (long)i.Runs));
        Assert.Equal(20_000 * Millisecond, _row.Items.Sum(static i => i.Busy));
    }

    [Fact]
    public void What_runs_at_the_cut_goes_on_in_the_next_sample()
    {
        _row.Start(1 * Millisecond, 7, _a);
        _row.Cut(11 * Millisecond);
        Assert.Equal((10 * Millisecond, SliceEnd.RunsOn), (_row.Items[0].Busy, _row.Items[0].End));
        _row.Clear();
        _row.End(14 * Millisecond, SliceEnd.Ended);
        Assert.Equal((11 * Millisecond, 3 * Millisecond, SliceEnd.Ended), (_row.Items[0].From, _row.Items[0].Busy, _row.Items[0].End));
    }

    [Fact]
    public void What_was_lost_is_a_gap_and_no_run()
    {
        Run(1 * Millisecond, 7, _a, 2 * Millisecond, SliceEnd.Ended);
        _row.Start(4 * Millisecond, 8, _a);
        _row.Skip(50 * Millisecond, 1234);
        _row.Cut(60 * Millisecond);
        Assert.Equal((4 * Millisecond, 50 * Millisecond), Assert.Single(_row.Gaps));
        Assert.Equal(1234, _row.Lost);
        Assert.Equal(2 * Millisecond, _row.Items.Sum(static i => i.Busy));
    }

    private void Run(long from, long goroutine, int site, long length, byte end)
    {
        _row.Start(from, goroutine, site);
        _row.End(from + length, end);
    }
}
