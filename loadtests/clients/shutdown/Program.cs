// The load of shutdown.sh: clients-shutdown PORT SEED. Opens connections and asks until nobody listens any more, and every connection has
// come to its end. For each request that was sent and not wholly answered it prints a line:
//
//   unanswered ID kept|fresh LOCAL-PORT none|part|late
//
// none: the connection ended before an octet of the answer; part: after some; late: neither for 30 s. At the end a line "sent N answered N
// connections N refused N". shutdown.sh compares that with what the server has written down.
using System.Globalization;
using System.Net;
using ShutdownLoad;

var server = new IPEndPoint(IPAddress.Loopback, int.Parse(args[0], CultureInfo.InvariantCulture));
int seed = int.Parse(args[1], CultureInfo.InvariantCulture);
var totals = new Totals();
Console.WriteLine("ready");
await Task.WhenAll(Enumerable.Range(0, 24).Select(i => new Client(server, totals, new Random((seed * 1000) + i), keeps: i % 3 != 0).RunAsync()));
Console.WriteLine($"sent {totals.Sent} answered {totals.Answered} connections {totals.Connections} refused {totals.Refused}");
