using Microsoft.Extensions.DependencyInjection;

namespace NetGo.Http;

/// <summary>Takes the handler of each request from a scope of its own.</summary>
internal sealed class ScopedHandler<THandler>(IServiceScopeFactory scopes) : IHandler
    where THandler : class, IHandler
{
    public async ValueTask ServeHttpAsync(ResponseWriter response, Request request)
    {
        await using AsyncServiceScope scope = scopes.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<THandler>().ServeHttpAsync(response, request);
    }
}
