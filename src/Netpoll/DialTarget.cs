using System.Net;

namespace NetGo.Netpoll;

/// <summary>What is dialled, as messages say it.</summary>
/// <param name="Name">Null when it was an address from the beginning.</param>
/// <param name="EndPoint">Null while the name has none.</param>
internal readonly record struct DialTarget(DnsEndPoint? Name, EndPoint? EndPoint)
{
    public override string ToString()
    {
        if (Name is null)
            return $"{EndPoint}";
        string name = $"{Name.Host}:{Name.Port}";
        return EndPoint is null ? name : $"{name} at {EndPoint}";
    }
}
