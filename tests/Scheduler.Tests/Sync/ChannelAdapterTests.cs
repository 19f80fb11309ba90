using System.Threading.Channels;
using SystemChannel = System.Threading.Channels.Channel;
using SystemChannelClosedException = System.Threading.Channels.ChannelClosedException;

namespace NetGo.Scheduler.Tests.Sync;

public class ChannelAdapterTests
{
    public static TheoryData<int> ProcessorCounts => On.ProcessorCounts;

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 0)]
    [InlineData(1, 2)]
    [InlineData(2, 2)]
    public Task A_reader_waits_and_tries_until_the_end(int processors, int capacity) => On.Processors(processors, async () =>
    {
        Channel<int> channel = Channel.Make<int>(capacity);
        ChannelReader<int> reader = channel.AsReader();
        Go.Spawn(async () =>
        {
            for (int i = 0; i < 1000; i++)
                await channel.SendAsync(i);
            channel.Close();
        });
        int expected = 0;
        while (await reader.WaitToReadAsync())
        {
            while (reader.TryRead(out int value))
                Assert.Equal(expected++, value);
        }
        Assert.Equal(1000, expected);
        await reader.Completion;
        await Assert.ThrowsAsync<SystemChannelClosedException>(async () => await reader.ReadAsync());
        Assert.False(reader.TryRead(out _));
    });

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task Waiting_to_read_takes_nothing(int processors) => On.Processors(processors, async () =>
    {
        Channel<int> channel = Channel.Make<int>();
        ChannelReader<int> reader = channel.AsReader();
        ValueTask<bool> wait = reader.WaitToReadAsync();
        Assert.False(channel.TrySend(1)); // no receiver
        Assert.False(wait.IsCompleted);
        ValueTask send = channel.SendAsync(2);
        Assert.True(await wait);
        Assert.False(send.IsCompleted);
        Assert.Equal((2, true), await channel.ReceiveAsync());
        await send;
        wait = reader.WaitToReadAsync();
        Assert.False(wait.IsCompleted);
        var select = new Select();
        SendCase<int> sends = select.Send(channel, 3);
        ValueTask<int> selecting = select.WaitAsync();
        Assert.True(await wait);
        Assert.True(reader.TryRead(out int value));
        Assert.Equal(3, value);
        Assert.Equal(sends.Index, await selecting);
    });

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task Many_readers_read_each_value_once(int processors) => On.Processors(processors, async () =>
    {
        const int values = 4000;
        Channel<int> channel = Channel.Make<int>(1);
        int[] seen = new int[values];
        var group = new WaitGroup();
        for (int r = 0; r < 6; r++)
        {
            int kind = r % 3;
            group.Go(async () =>
            {
                ChannelReader<int> reader = channel.AsReader();
                if (kind == 0)
                {
                    while (await reader.WaitToReadAsync())
                    {
                        if (reader.TryRead(out int value))
                            Interlocked.Increment(ref seen[value]);
                    }
                }
                else if (kind == 1)
                {
                    await foreach (int value in reader.ReadAllAsync())
                        Interlocked.Increment(ref seen[value]);
                }
                else
                {
                    while (await channel.ReceiveAsync() is (var value, true))
                        Interlocked.Increment(ref seen[value]);
                }
            });
        }
        ChannelWriter<int> writer = channel.AsWriter();
        for (int i = 0; i < values; i++)
        {
            while (!writer.TryWrite(i))
                Assert.True(await writer.WaitToWriteAsync());
        }
        Assert.True(writer.TryComplete());
        Assert.False(writer.TryComplete());
        await group.WaitAsync();
        Assert.All(seen, count => Assert.Equal(1, count));
    });

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task A_writer_waits_for_room_or_a_receiver(int processors) => On.Processors(processors, async () =>
    {
        Channel<int> buffered = Channel.Make<int>(1);
        ChannelWriter<int> writer = buffered.AsWriter();
        Assert.True(await writer.WaitToWriteAsync());
        Assert.True(writer.TryWrite(1));
        Assert.False(writer.TryWrite(2));
        ValueTask<bool> wait = writer.WaitToWriteAsync();
        Assert.False(wait.IsCompleted);
        await buffered.ReceiveAsync();
        Assert.True(await wait);

        Channel<int> unbuffered = Channel.Make<int>();
        writer = unbuffered.AsWriter();
        wait = writer.WaitToWriteAsync();
        Assert.False(wait.IsCompleted);
        ValueTask<(int, bool)> receive = unbuffered.ReceiveAsync();
        Assert.True(await wait);
        Assert.True(writer.TryWrite(3));
        Assert.Equal((3, true), await receive);
        ValueTask write = writer.WriteAsync(4);
        Assert.False(write.IsCompleted);
        Assert.Equal((4, true), await unbuffered.ReceiveAsync());
        await write;
        wait = writer.WaitToWriteAsync();
        unbuffered.Close();
        Assert.False(await wait);
        Assert.False(await writer.WaitToWriteAsync());
        Assert.False(writer.TryWrite(5));
        await Assert.ThrowsAsync<SystemChannelClosedException>(async () => await writer.WriteAsync(5));
    });

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task An_error_is_remembered_for_readers_and_writers(int processors) => On.Processors(processors, async () =>
    {
        Channel<int> channel = Channel.Make<int>(1);
        ChannelReader<int> reader = channel.AsReader();
        ChannelWriter<int> writer = channel.AsWriter();
        Task completion = reader.Completion;
        await writer.WriteAsync(1);
        var error = new IOException("broken");
        Assert.True(writer.TryComplete(error));
        Assert.True(await reader.WaitToReadAsync()); // the value first
        Assert.False(completion.IsCompleted);
        Assert.Equal(1, await reader.ReadAsync());
        Assert.Same(error, await Assert.ThrowsAsync<IOException>(() => completion));
        Assert.Same(error, await Assert.ThrowsAsync<IOException>(async () => await reader.WaitToReadAsync()));
        Assert.Same(error, await Assert.ThrowsAsync<IOException>(async () => await writer.WaitToWriteAsync()));
        Assert.Same(error, (await Assert.ThrowsAsync<SystemChannelClosedException>(async () => await reader.ReadAsync())).InnerException);
        Assert.Same(error, (await Assert.ThrowsAsync<SystemChannelClosedException>(async () => await writer.WriteAsync(2))).InnerException);
        await Assert.ThrowsAsync<IOException>(async () =>
        {
            await foreach (int _ in reader.ReadAllAsync())
                Assert.Fail("It is empty.");
        });
        Assert.Equal((0, false), await channel.ReceiveAsync()); // for Go's side it is closed, no more
    });

    [Theory, MemberData(nameof(ProcessorCounts))]
    public Task Waits_can_be_cancelled_and_leave_nothing(int processors) => On.Processors(processors, async () =>
    {
        Channel<int> channel = Channel.Make<int>();
        using var cancellation = new CancellationTokenSource();
        ValueTask<bool> read = channel.AsReader().WaitToReadAsync(cancellation.Token);
        ValueTask<bool> other = channel.AsReader().WaitToReadAsync();
        ValueTask<bool> write = channel.AsWriter().WaitToWriteAsync(cancellation.Token);
        Go.Spawn(cancellation.Cancel);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await read);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await write);
        Assert.False(other.IsCompleted);
        ValueTask send = channel.SendAsync(1);
        Assert.True(await other);
        await channel.ReceiveAsync();
        await send;
        await Assert.ThrowsAnyAsync<OperationCanceledException>(async () => await channel.AsReader().ReadAsync(cancellation.Token));
    });

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 0)]
    [InlineData(2, 4)]
    public async Task Values_pass_through_both_kinds(int processors, int capacity)
    {
        using GoScheduler scheduler = Bounded.NewScheduler(processors);
        await scheduler.RunAsync(async () =>
        {
            System.Threading.Channels.Channel<int> middle = SystemChannel.CreateBounded<int>(2);
            Channel<int> to = middle.Writer.ToGoChannel(capacity);
            Channel<int> from = middle.Reader.ToGoChannel(capacity);
            Go.Spawn(async () =>
            {
                for (int i = 0; i < 2000; i++)
                    await to.SendAsync(i);
                to.Close();
            });
            int expected = 0;
            await foreach (int value in from)
                Assert.Equal(expected++, value);
            Assert.Equal(2000, expected);
            await middle.Reader.Completion;
        }).Within();
        Bounded.NoneLeft(scheduler);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task The_pump_of_a_reader_ends_with_either_side(int processors)
    {
        using GoScheduler scheduler = Bounded.NewScheduler(processors);
        await scheduler.RunAsync(async () =>
        {
            System.Threading.Channels.Channel<int> failing = SystemChannel.CreateUnbounded<int>();
            Channel<int> from = failing.Reader.ToGoChannel();
            Task completion = from.AsReader().Completion;
            failing.Writer.TryComplete(new IOException("broken"));
            Assert.Equal((0, false), await from.ReceiveAsync());
            await Assert.ThrowsAsync<IOException>(() => completion);

            using var cancellation = new CancellationTokenSource();
            System.Threading.Channels.Channel<int> silent = SystemChannel.CreateUnbounded<int>();
            from = silent.Reader.ToGoChannel(0, cancellation.Token);
            completion = from.AsReader().Completion;
            Go.Spawn(cancellation.Cancel);
            Assert.Equal((0, false), await from.ReceiveAsync());
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => completion);

            Channel<int> unwanted = silent.Reader.ToGoChannel(); // waits to read
            await Go.YieldAsync();
            unwanted.Close();
            silent.Writer.TryWrite(1);
            silent.Writer.TryWrite(2);
            unwanted = silent.Reader.ToGoChannel(); // waits to send
            Assert.Equal((1, true), await unwanted.ReceiveAsync());
            unwanted.Close();
        }).Within();
        Bounded.NoneLeft(scheduler);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public async Task The_pump_of_a_writer_ends_with_either_side(int processors)
    {
        using GoScheduler scheduler = Bounded.NewScheduler(processors);
        await scheduler.RunAsync(async () =>
        {
            System.Threading.Channels.Channel<int> ended = SystemChannel.CreateUnbounded<int>();
            Channel<int> to = ended.Writer.ToGoChannel();
            ended.Writer.TryComplete();
            await Assert.ThrowsAsync<ChannelClosedException>(async () =>
            {
                while (true)
                    await to.SendAsync(1);
            });

            using var cancellation = new CancellationTokenSource();
            System.Threading.Channels.Channel<int> idle = SystemChannel.CreateUnbounded<int>();
            to = idle.Writer.ToGoChannel(0, cancellation.Token);
            await to.SendAsync(1);
            while (idle.Reader.Count == 0)
                await Go.YieldAsync(); // what the pump has in hand is dropped by a cancellation
            cancellation.Cancel();
            await Assert.ThrowsAsync<ChannelClosedException>(async () =>
            {
                while (true)
                    await to.SendAsync(2);
            });
            Assert.Equal(1, await idle.Reader.ReadAsync());
            await Assert.ThrowsAnyAsync<OperationCanceledException>(async () =>
            {
                while (true)
                    await idle.Reader.ReadAsync();
            });
        }).Within();
        Bounded.NoneLeft(scheduler);
    }
}
