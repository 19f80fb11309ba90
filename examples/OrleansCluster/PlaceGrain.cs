using Orleans.Placement;
using Orleans.Runtime;

namespace OrleansCluster;

// Random, so that both silos have some of them.
[RandomPlacement]
internal sealed class PlaceGrain(ILocalSiloDetails silo, CountedTransport transport, RunCount runs) : Grain, IPlaceGrain
{
    private int _calls;

    public ValueTask<Place> WhereAsync() => new(new Place(silo.Name, ++_calls));

    public ValueTask<Place> AskAsync(long other) => GrainFactory.GetGrain<IPlaceGrain>(other).WhereAsync();

    public ValueTask<TransportReport> ReportAsync() => new(TransportReport.Of(transport, runs));
}
