using System.Text;

namespace NetGo.Netpoll.Tests;

/// <summary>Answers each line with a line, on any number of connections.</summary>
internal static class LineServer
{
    /// <summary>Serves until the listener is closed or handed over and all connections have ended.</summary>
    /// <returns>How many connections there were.</returns>
    public static Task<int> RunAsync(GoScheduler scheduler, NetListener listener, Func<string, Task<string>> answer) => scheduler.RunAsync(async () =>
    {
        int accepted = 0;
        var open = new WaitGroup();
        try
        {
            while (true)
            {
                NetConnection connection = await listener.AcceptAsync();
                accepted++;
                open.Go(() => AnswerAsync(connection, answer));
            }
        }
        catch (ObjectDisposedException)
        {
            // Closed or handed over.
        }
        await open.WaitAsync();
        return accepted;
    });

    private static async Task AnswerAsync(NetConnection connection, Func<string, Task<string>> answer)
    {
        using (connection)
        {
            try
            {
                byte[] buffer = new byte[64];
                int length = 0;
                while (await connection.ReadAsync(buffer.AsMemory(length)) is > 0 and int n)
                {
                    length += n;
                    if (buffer[length - 1] != '\n')
                        continue;
                    string line = await answer(Encoding.ASCII.GetString(buffer, 0, length - 1));
                    length = 0;
                    await connection.WriteAsync(Encoding.ASCII.GetBytes(line + "\n"));
                }
            }
            catch (IOException)
            {
                // Clients end their connections by a reset.
            }
        }
    }
}
