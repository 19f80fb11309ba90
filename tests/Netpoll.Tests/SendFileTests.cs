using System.IO.Pipes;
using System.Net.Sockets;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;

namespace NetGo.Netpoll.Tests;

public sealed class SendFileTests : IDisposable
{
    private const int Mebibyte = 1 << 20;
    private const long Gibibyte = 1 << 30;

    private readonly TempDirectory _temp = new();
    private readonly Loopback _net = new();

    public void Dispose()
    {
        _net.Dispose();
        _temp.Dispose();
    }

    private (string Path, byte[] Content) NewFile(int length)
    {
        byte[] content = new byte[length];
        new Random(length).NextBytes(content);
        string path = _temp[$"file-{length}"];
        File.WriteAllBytes(path, content);
        return (path, content);
    }

    /// <summary>Reads to the end of the stream: how much it was, and its checksum.</summary>
    private static Task<(long Length, string Hash)> ReadToEndAsync(Socket peer) => Task.Run(async () =>
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[100_000];
        long length = 0;
        while (await peer.ReceiveAsync(buffer).Within() is > 0 and int n)
        {
            hash.AppendData(buffer, 0, n);
            length += n;
        }
        return (length, Convert.ToHexString(hash.GetHashAndReset()));
    });

    private static string HashOf(ReadOnlySpan<byte> content) => Convert.ToHexString(SHA256.HashData(content));

    private async Task SendsAsync(Func<NetConnection, ValueTask> send, byte[] expected, bool waits = false)
    {
        var (connection, peer) = await _net.ConnectAsync();
        Task sent = waits ? _net.Parked(() => send(connection)) : _net.Run(async () => await send(connection));
        Task<(long Length, string Hash)> read = ReadToEndAsync(peer);
        await sent;
        connection.CloseWrite();
        Assert.Equal((expected.Length, HashOf(expected)), await read);
        connection.Close();
    }

    private Task<T> Throws<T>(Func<Task> operation)
        where T : Exception => Assert.ThrowsAnyAsync<T>(() => _net.Run(operation));

    // ---- What is sent ----

    [Theory]
    [InlineData(0, 10 * Mebibyte, false)]
    [InlineData(0, 10 * Mebibyte, true)]
    [InlineData(12_345, (9 * Mebibyte) + 1, true)]
    [InlineData(Mebibyte, Mebibyte, false)]
    [InlineData((10 * Mebibyte) - 1, 1, false)]
    [InlineData(77, 0, false)]
    public async Task A_piece_of_a_file(int offset, int count, bool waits)
    {
        var (path, content) = NewFile(10 * Mebibyte);
        using SafeFileHandle file = File.OpenHandle(path);
        await SendsAsync(connection => connection.SendFileAsync(file, offset, count), content[offset..(offset + count)], waits);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3 * Mebibyte)]
    public async Task A_file_by_its_path(int length)
    {
        var (path, content) = NewFile(length);
        long sent = -1;
        await SendsAsync(async connection => sent = await connection.SendFileAsync(path), content);
        Assert.Equal(length, sent);
    }

    [Fact]
    public async Task The_position_of_a_stream_is_neither_used_nor_moved()
    {
        var (path, content) = NewFile(100_000);
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read);
        Assert.Equal(content[0], stream.ReadByte());
        await SendsAsync(connection => connection.SendFileAsync(stream.SafeFileHandle, 10, 50_000), content[10..50_010]);
        Assert.Equal(1, stream.Position);
        Assert.Equal(content[1], stream.ReadByte());
    }

    [Fact]
    public async Task Between_other_writes()
    {
        var (path, content) = NewFile(2 * Mebibyte);
        byte[] head = [1, 2, 3], tail = [4, 5];
        await SendsAsync(
            async connection =>
            {
                await connection.WriteAsync(head);
                await connection.SendFileAsync(path);
                await connection.WriteAsync(tail);
            },
            [.. head, .. content, .. tail]);
    }

    [Fact]
    public async Task From_a_thread_that_runs_no_goroutine()
    {
        var (path, content) = NewFile(5 * Mebibyte);
        var (connection, peer) = await _net.ConnectAsync();
        Task<(long Length, string Hash)> read = ReadToEndAsync(peer);
        await Task.Run(async () => await connection.SendFileAsync(path)).Within();
        connection.CloseWrite();
        Assert.Equal((content.Length, HashOf(content)), await read);
    }

    // ---- What cannot be sent by the system ----

    private static SafeFileHandle ReadEndOf(AnonymousPipeServerStream pipe)
    {
        var file = new SafeFileHandle(pipe.ClientSafePipeHandle.DangerousGetHandle(), ownsHandle: true);
        pipe.ClientSafePipeHandle.SetHandleAsInvalid();
        return file;
    }

    [Fact]
    public async Task A_pipe_is_read_and_written()
    {
        var (_, content) = NewFile(3 * Mebibyte);
        using var pipe = new AnonymousPipeServerStream(PipeDirection.Out);
        using SafeFileHandle file = ReadEndOf(pipe);
        Task write = Task.Run(() => pipe.Write(content));
        await SendsAsync(connection => connection.SendFileAsync(file, 0, content.Length), content);
        await write.Within();
        // And its end is one.
        pipe.Write(content, 0, 1000);
        pipe.Dispose();
        var (connection, _) = await _net.ConnectAsync();
        var e = await Throws<FileEndedException>(async () => await connection.SendFileAsync(file, 0, 1001));
        Assert.Equal(1000, e.BytesSent);
    }

    [Fact]
    public async Task A_file_of_the_system_that_has_no_pages_is_read_and_written()
    {
        const string Version = "/proc/version";
        Assert.SkipUnless(File.Exists(Version), "there is no /proc");
        byte[] content = await File.ReadAllBytesAsync(Version);
        using SafeFileHandle file = File.OpenHandle(Version);
        await SendsAsync(connection => connection.SendFileAsync(file, 2, content.Length - 2), content[2..]);
    }

    [Fact]
    public async Task A_file_that_cannot_be_read_is_an_error_of_the_files()
    {
        using SafeFileHandle file = File.OpenHandle(_temp["new"], FileMode.CreateNew, FileAccess.Write);
        var (connection, _) = await _net.ConnectAsync();
        await Throws<UnauthorizedAccessException>(async () => await connection.SendFileAsync(file, 0, 1));
        file.Dispose();
        await Throws<ObjectDisposedException>(async () => await connection.SendFileAsync(file, 0, 1));
        await Throws<FileNotFoundException>(async () => await connection.SendFileAsync(_temp["missing"]));
        await _net.Run(async () => await connection.WriteAsync(new byte[1])); // nothing is wrong with the connection
    }

    // ---- Lengths ----

    [Fact]
    public async Task A_file_that_is_too_short_is_told_with_what_was_sent()
    {
        var (path, content) = NewFile(2_500_000);
        using SafeFileHandle file = File.OpenHandle(path);
        await SendsAsync(
            async connection =>
            {
                var e = await Assert.ThrowsAsync<FileEndedException>(async () =>
                    await connection.SendFileAsync(file, 100, 2_500_000));
                Assert.Equal(2_499_900, e.BytesSent);
                Assert.Contains("2499900 of 2500000", e.Message, StringComparison.Ordinal);
                e = await Assert.ThrowsAsync<FileEndedException>(async () => await connection.SendFileAsync(file, 3_000_000, 1));
                Assert.Equal(0, e.BytesSent);
            },
            content[100..]);
    }

    [Fact]
    public async Task Offsets_and_counts_beyond_32_bits()
    {
        byte[] content = NewFile(100_000).Content;
        string path = _temp["sparse"];
        using SafeFileHandle file = File.OpenHandle(path, FileMode.CreateNew, FileAccess.ReadWrite);
        RandomAccess.Write(file, content, 5 * Gibibyte);
        await SendsAsync(
            async connection =>
            {
                var e = await Assert.ThrowsAsync<FileEndedException>(async () =>
                    await connection.SendFileAsync(file, 5 * Gibibyte, 6 * Gibibyte));
                Assert.Equal(content.Length, e.BytesSent);
            },
            content);
    }

    [Fact]
    public async Task Nothing_is_less_than_nothing()
    {
        var (path, _) = NewFile(10);
        using SafeFileHandle file = File.OpenHandle(path);
        var (connection, _) = await _net.ConnectAsync();
        await Throws<ArgumentOutOfRangeException>(async () => await connection.SendFileAsync(file, -1, 1));
        await Throws<ArgumentOutOfRangeException>(async () => await connection.SendFileAsync(file, 1, -1));
    }

    // ---- How it ends ----

    [Theory]
    [InlineData("deadline")]
    [InlineData("cancellation")]
    [InlineData("close")]
    [InlineData("reset")]
    public async Task A_send_that_waits_for_the_peer_ends_by(string what)
    {
        var (path, _) = NewFile(20 * Mebibyte);
        SafeFileHandle file = File.OpenHandle(path);
        string link = $"/proc/self/fd/{file.DangerousGetHandle()}";
        var (connection, peer) = await _net.ConnectAsync();
        using var source = new CancellationTokenSource();
        Task send = _net.Parked(() => connection.SendFileAsync(file, 0, 20 * Mebibyte, source.Token));
        await Throws<InvalidOperationException>(async () => await connection.SendFileAsync(file, 0, Mebibyte));
        await Throws<InvalidOperationException>(async () => await connection.WriteAsync(new byte[1]));
        file.Dispose(); // it is kept as long as it is used
        if (OperatingSystem.IsLinux())
            Assert.Equal(path, new FileInfo(link).LinkTarget);
        switch (what)
        {
            case "deadline":
                connection.SetWriteDeadline(TimeSpan.FromMilliseconds(20));
                await Assert.ThrowsAsync<TimeoutException>(() => send);
                break;
            case "cancellation":
                await source.CancelAsync();
                await Assert.ThrowsAnyAsync<OperationCanceledException>(() => send);
                break;
            case "close":
                connection.Close();
                await Assert.ThrowsAsync<ObjectDisposedException>(() => send);
                break;
            default:
                peer.LingerState = new LingerOption(true, 0);
                peer.Dispose();
                var e = await Assert.ThrowsAsync<IOException>(() => send);
                Assert.Equal(SocketError.ConnectionReset, Assert.IsType<SocketException>(e.InnerException).SocketErrorCode);
                break;
        }
        if (OperatingSystem.IsLinux())
            Assert.NotEqual(path, new FileInfo(link).LinkTarget);
    }

    [Fact]
    public async Task What_has_ended_already_is_seen_before_anything_is_sent()
    {
        var (path, _) = NewFile(10);
        var (connection, peer) = await _net.ConnectAsync();
        await Throws<OperationCanceledException>(async () => await connection.SendFileAsync(path, new CancellationToken(true)));
        connection.SetWriteDeadline(TimeSpan.Zero);
        await Throws<TimeoutException>(async () => await connection.SendFileAsync(path));
        connection.Close();
        await Throws<ObjectDisposedException>(async () => await connection.SendFileAsync(path));
        Assert.Equal((0, HashOf([])), await ReadToEndAsync(peer));
    }

    // ---- The others ----

    [Fact]
    public async Task A_file_that_makes_wait_does_not_stop_the_others()
    {
        // A pipe with nothing in it is the slowest of files. Without time slices only what is declared as blocking is handed off.
        using var net = new Loopback(Bounded.NewSchedulerWithoutTimeSlices(1));
        using var pipe = new AnonymousPipeServerStream(PipeDirection.Out);
        using SafeFileHandle file = ReadEndOf(pipe);
        var (connection, peer) = await net.ConnectAsync();
        var began = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Task send = net.Scheduler.RunAsync(async () =>
        {
            began.SetResult();
            await connection.SendFileAsync(file, 0, 3);
        });
        await began.Task.Within();
        for (int i = 0; i < 10; i++)
            await net.Run(async () => await Go.YieldAsync());
        Assert.False(send.IsCompleted);
        await Assert.ThrowsAsync<InvalidOperationException>(() => net.Run(async () => await connection.WriteAsync(new byte[1])));
        pipe.Write([1, 2, 3]);
        await send.Within();
        Assert.Equal(3, peer.Receive(new byte[10]));
    }

    [Fact]
    public async Task A_peer_that_keeps_up_does_not_starve_the_others()
    {
        using var net = new Loopback(Bounded.NewSchedulerWithoutTimeSlices(1));
        var (path, _) = NewFile(8 * Mebibyte);
        var (connection, peer) = await net.ConnectAsync();
        bool stop = false;
        int files = 0;
        Task<(long Length, string Hash)> read = ReadToEndAsync(peer);
        Task send = net.Scheduler.RunAsync(async () =>
        {
            using SafeFileHandle file = File.OpenHandle(path);
            for (; !Volatile.Read(ref stop); files++)
                await connection.SendFileAsync(file, files, 1); // there is always room for one byte
            connection.Close();
        });
        Bounded.Until(() => Volatile.Read(ref files) > 10_000, "it is busy");
        for (int i = 0; i < 10; i++)
            await net.Scheduler.RunAsync(async () => await Go.YieldAsync()).Within();
        Volatile.Write(ref stop, true);
        await send.Within();
        Assert.Equal(files, (await read).Length);
    }
}
