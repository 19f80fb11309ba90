using NetGo;

namespace Concurrency;

internal static class Selecting
{
    public static async Task FirstAsync()
    {
        // snippet: select
        Channel<int> numbers = Channel.Make<int>();
        Channel<bool> quits = Channel.Make<bool>();
        Go.Spawn(async () =>
        {
            await numbers.SendAsync(1);
            await numbers.SendAsync(2);
            quits.Close();
        });

        int sum = 0;
        var select = new Select();
        ReceiveCase<int> number = select.Receive(numbers);
        ReceiveCase<bool> quit = select.Receive(quits);
        while (await select.WaitAsync() != quit.Index)       // for { select { case number := <-numbers: ... case <-quits: ... } }
            sum += number.Value;
        Console.WriteLine(sum);                              // 3
        // end
    }

    public static async Task TimeOutAsync()
    {
        // snippet: select-timeout
        Channel<int> jobs = Channel.Make<int>();
        var select = new Select();
        SendCase<int> offer = select.Send(jobs, 1);
        Console.WriteLine(select.TryWait(out _));                                  // False: select with a default
        Console.WriteLine(await select.WaitAsync(TimeSpan.FromMilliseconds(5)));   // -1: case <-time.After(...)

        Go.Spawn(async () => await jobs.ReceiveAsync());
        offer.Value = 2;                                                           // the select is used again
        Console.WriteLine(await select.WaitAsync() == offer.Index);                // True
        // end
    }
}
