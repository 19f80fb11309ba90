// A REST service over JSON in a host: books, kept in memory, with validation, and each error as problem+json (RFC 9457).
//
//   JsonApi [ADDRESS]     serves on ADDRESS, :8080 unless given
//
//   curl -d '{"isbn":"9780134190440","title":"The Go Programming Language"}' -H 'Content-Type: application/json' localhost:8080/books
//   curl localhost:8080/books/9780134190440
using JsonApi;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using NetGo.Http;

if (args.Length > 1)
{
    Console.Error.WriteLine("Usage: JsonApi [ADDRESS]");
    return 2;
}

HostApplicationBuilder builder = Host.CreateApplicationBuilder();
builder.Services.AddSingleton<BookStore>();
builder.Services
    .AddNetGo(options => options.Listen(args.Length > 0 ? args[0] : ":8080"))
    .Use(static (services, handler) => handler.WithAccessLog(services.GetRequiredService<ILogger<Server>>()))
    .Use(static (services, handler) => handler.WithRecovery(services.GetRequiredService<ILogger<Server>>(), Problems.AnswerFailureAsync))
    .Use(Problems.ForBadRequests)
    .Handle<BookApi>("/");
using IHost host = builder.Build();
await host.RunAsync();
return 0;
