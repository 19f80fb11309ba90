// An Orleans cluster whose connections, silo to silo and client to silo, are NetGo's: two silos and a client, each a process of its own.
// One silo is killed, and the calls go on.
//
//   OrleansCluster run                   starts all three; exit code 0 when all went well, within a minute
//   OrleansCluster silo A|B [PORT]       one silo. A keeps the list of members, so it is started first, and the cluster ends
//                                        with it. The cluster takes four ports from PORT, 11111 unless given
//   OrleansCluster client [PORT]         calls grains every second, and says how many are on which silo
//   OrleansCluster client PORT PID       calls grains on both silos, kills process PID, silo B, and goes on calling
using System.Globalization;
using System.Runtime.InteropServices;
using OrleansCluster;

switch (args)
{
    case ["run"]:
        return await Demonstration.RunAsync();
    case ["silo", ("A" or "B") and var name]:
        return await SiloHost.RunAsync(name, ClusterPorts.Default, endsWithInput: false);
    case ["silo", ("A" or "B") and var name, var port] when ClusterPorts.TryParse(port, out ClusterPorts ports):
        return await SiloHost.RunAsync(name, ports, endsWithInput: false);
    case ["silo", ("A" or "B") and var name, var port, SiloHost.EndsWithInput] when ClusterPorts.TryParse(port, out ClusterPorts ports):
        return await SiloHost.RunAsync(name, ports, endsWithInput: true);
    case ["client"]:
        return await WatchAsync(ClusterPorts.Default);
    case ["client", var port] when ClusterPorts.TryParse(port, out ClusterPorts ports):
        return await WatchAsync(ports);
    case ["client", var port, var id]
        when ClusterPorts.TryParse(port, out ClusterPorts ports) && int.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out int process):
        return await FailoverClient.RunAsync(ports, process);
    default:
        Console.Error.WriteLine("Usage: OrleansCluster run, OrleansCluster silo A|B [PORT], or OrleansCluster client [PORT [PID]]");
        return 2;
}

static async Task<int> WatchAsync(ClusterPorts ports)
{
    using var stop = new CancellationTokenSource();
    using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
    using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
    return await Watcher.RunAsync(ports, stop.Token);

    void Stop(PosixSignalContext context)
    {
        context.Cancel = true;
        stop.Cancel();
    }
}
