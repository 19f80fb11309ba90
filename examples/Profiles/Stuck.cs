using NetGo;
using NetGo.Http;

namespace Profiles;

/// <summary>A handler that waits for what never comes.</summary>
internal static class Stuck
{
    private static readonly Channel<string> s_answers = Channel.Make<string>();

    public static async ValueTask ServeAsync(ResponseWriter response, Request request)
    {
        string answer = await AnswerAsync();
        await response.WriteAsync(answer);
    }

    private static async Task<string> AnswerAsync()
    {
        (string answer, _) = await s_answers.ReceiveAsync(); // nobody sends
        return answer;
    }
}
