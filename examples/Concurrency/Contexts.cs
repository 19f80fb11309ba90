using NetGo;

namespace Concurrency;

internal static class Contexts
{
    // snippet: context
    private static readonly ContextKey<string> s_user = new("user");

    private static async Task<string> GreetAsync(Context ctx)
    {
        await Go.SleepAsync(TimeSpan.FromMilliseconds(1), ctx.Token);   // a token for whatever takes one
        ctx.ThrowIfDone();
        return $"hello, {ctx.Value(s_user)}";
    }
    // end

    public static async Task TreeAsync()
    {
        // snippet: context
        using var source = new CancellationTokenSource();
        using CancelContext root = Context.FromToken(source.Token);              // from a token
        using CancelContext request = Context.WithTimeout(root, TimeSpan.FromMinutes(1));
        Context ctx = Context.WithValue(request, s_user, "gopher");
        Console.WriteLine(await GreetAsync(ctx));                                // hello, gopher

        request.Cancel(new IOException("the client has gone"));
        await ctx.Done!.ReceiveAsync();                                          // <-ctx.Done()
        Console.WriteLine($"{ctx.Err is ContextCanceledException}, {ctx.Cause!.Message}");  // True, the client has gone
        // end
    }
}
