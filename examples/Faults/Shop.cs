using System.Diagnostics;
using NetGo;
using NetGo.Http;

namespace Faults;

/// <summary>A little service. Look here only when you have found the fault in the trace.</summary>
internal sealed class Shop
{
    private readonly Fault _fault;
    private readonly GoMutex _ledger = new();
    private readonly Channel<int> _audit = Channel.Make<int>();

    public Shop(Fault fault)
    {
        _fault = fault;
        Routes.HandleFunc("GET /price/{item}", PriceAsync);
        Routes.HandleFunc("POST /order/{item}", OrderAsync);
        Routes.HandleFunc("GET /report", ReportAsync);
    }

    public ServeMux Routes { get; } = new();

    private async ValueTask PriceAsync(ResponseWriter response, Request request)
    {
        if (_fault == Fault.Starve)
            await WriteLedgerAsync();
        await response.WriteAsync($"{request.PathValue("item").Length} coins\n");
    }

    private async ValueTask OrderAsync(ResponseWriter response, Request request)
    {
        if (_fault == Fault.Starve)
            await WriteLedgerAsync();
        if (_fault == Fault.Leak)
            Go.Spawn(() => TellAuditorAsync(1));
        await response.WriteAsync("ordered\n");
    }

    private async ValueTask ReportAsync(ResponseWriter response, Request request)
    {
        if (_fault == Fault.Block)
            Thread.Sleep(50); // a library that knows no async
        await response.WriteAsync("all is well\n");
    }

    private async ValueTask WriteLedgerAsync()
    {
        await _ledger.LockAsync();
        try
        {
            Compute(TimeSpan.FromMilliseconds(1));
            await Go.YieldAsync();
        }
        finally
        {
            _ledger.Unlock();
        }
    }

    // Nobody receives.
    private async Task TellAuditorAsync(int orders) => await _audit.SendAsync(orders);

    private static void Compute(TimeSpan duration)
    {
        long begin = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(begin) < duration)
            _ = Math.Sqrt(begin);
    }
}
