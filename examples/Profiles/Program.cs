// A server with the debugging pages, in which some things go wrong: to see in the pages which.
//
//   Profiles [ADDRESS]     serves on ADDRESS, :8080 unless given
//
//   /work     computes for a while, and makes some garbage: for the profiles of CPU and allocations
//   /stuck    never answers, for it waits for a channel that nobody sends to
using System.Runtime.InteropServices;
using NetGo;
using NetGo.Diagnostics;
using NetGo.Http;
using Profiles;

string address = args.Length > 0 ? args[0] : ":8080";

var mux = new ServeMux();
mux.HandleDebug();
mux.HandleFunc("GET /{$}", (w, r) => w.WriteAsync("See /debug/pprof/\n"));
mux.HandleFunc("GET /work", Work.ServeAsync);
mux.HandleFunc("GET /stuck", Stuck.ServeAsync);

BlockProfile.SetRate(1);
MutexProfile.SetFraction(1);

var accounts = new Accounts();
Go.Spawn(() => Accounts.TransferAsync(accounts.Savings, accounts.Current));
Go.Spawn(() => Accounts.TransferAsync(accounts.Current, accounts.Savings));
Go.Spawn(Blocking.Sleep);
for (int i = 0; i < 3; i++)
    Go.Spawn(Contention.RunAsync);

using var stop = new CancellationTokenSource();
using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

var server = new Server { Address = address, Handler = mux };
Task serving = server.ListenAndServeAsync(stop.Token);
Console.WriteLine($"Listening on {address}. Try: curl 'http://localhost:{address[(address.LastIndexOf(':') + 1)..]}/debug/pprof/goroutine?debug=2'");
await Task.WhenAny(serving, GracePeriodAsync());

// /stuck would keep the server for ever.
async Task GracePeriodAsync()
{
    await Task.Delay(Timeout.Infinite, stop.Token).ContinueWith(_ => { }, TaskScheduler.Default);
    await Task.Delay(TimeSpan.FromSeconds(1));
}

void Stop(PosixSignalContext context)
{
    context.Cancel = true;
    stop.Cancel();
}
