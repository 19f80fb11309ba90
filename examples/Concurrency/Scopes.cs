using Microsoft.Extensions.Logging;
using NetGo;

namespace Concurrency;

internal static class Scopes
{
    public static async Task ScopeAsync()
    {
        ILogger logger = new ConsoleLogger();
        // snippet: scope
        int total = await TaskScope.RunAsync("sum", Context.Background, async scope =>
        {
            ScopeTask<int> left = scope.Run(() => Task.FromResult(1), "left");
            ScopeTask<int> right = scope.Run(() => Task.FromResult(2), "right");
            return await left + await right;
        });
        Console.WriteLine(total);                                             // 3

        try
        {
            await TaskScope.RunAsync("fetch", Context.Background, scope =>
            {
                scope.Go(() => throw new IOException("no answer"), "left");
                scope.Go(async () =>
                {
                    await scope.Context.WaitDoneAsync();                      // for left has failed
                    logger.LogInformation("stops");                           // TaskPath=fetch/right: stops
                }, "right");
                return Task.CompletedTask;
            }, logger);
        }
        catch (ScopeException e)
        {
            Console.WriteLine($"{e.Failures[0].Path}: {e.InnerException!.Message}");  // fetch/left: no answer
        }
        // end
    }

    public static async Task ErrGroupAsync()
    {
        // snippet: errgroup
        ErrGroup group = ErrGroup.WithContext(Context.Background, out Context ctx, limit: 2);
        for (int i = 1; i <= 5; i++)
        {
            int n = i;
            await group.GoAsync(() => n == 3 ? throw new IOException("part 3 is missing") : Task.CompletedTask);
        }
        try
        {
            await group.WaitAsync();
        }
        catch (IOException e)
        {
            Console.WriteLine($"{e.Message}, {ctx.IsDone}");                 // part 3 is missing, True
        }
        // end
    }
}
