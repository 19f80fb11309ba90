// Chat rooms over SignalR, on ASP.NET Core on NetGo: a hub, and a page that speaks the hub's JSON protocol itself.
//
//   SignalRChat [ADDRESS]      serves on ADDRESS, :8080 unless given
//   SignalRChat --try URL      two clients talk by each of SignalR's transports; exit code 0 when all went well
//
//   GET /          the page
//   /rooms         the hub: RoomHub
using SignalRChat;

if (args is ["--try", var url])
    return await TryClient.RunAsync(new Uri(url));
if (args.Length > 1)
{
    Console.Error.WriteLine("Usage: SignalRChat [ADDRESS], or SignalRChat --try URL");
    return 2;
}
string address = args.Length > 0 ? args[0] : ":8080";

WebApplicationBuilder builder = WebApplication.CreateBuilder();
builder.WebHost.UseNetpoll();
builder.WebHost.UseUrls($"http://{(address.StartsWith(':') ? "*" : "")}{address}");
builder.Services.AddSignalR(options => options.MaximumReceiveMessageSize = RoomHub.MaxMessageBytes);
await using WebApplication app = builder.Build();
app.MapGet("/", Page.Get);
app.MapHub<RoomHub>("/rooms");
await app.RunAsync();
return 0;
