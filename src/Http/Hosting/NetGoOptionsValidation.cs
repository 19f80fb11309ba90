using Microsoft.Extensions.Options;
using NetGo.Netpoll;

namespace NetGo.Http;

/// <summary>Finds what a server or a listener would refuse.</summary>
internal sealed class NetGoOptionsValidation : IValidateOptions<NetGoOptions>
{
    public ValidateOptionsResult Validate(string? name, NetGoOptions options)
    {
        var failures = new List<string>();
        var server = new Server();
        try
        {
            options.ApplyTo(server);
            server.ReadProperties();
        }
        catch (InvalidOperationException e)
        {
            failures.Add(e.Message);
        }
        for (int i = 0; i < options.Endpoints.Count; i++)
        {
            if (FailureOf(options.Endpoints[i]) is { } failure)
                failures.Add($"Endpoints[{i}]: {failure}");
        }
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private static string? FailureOf(NetGoEndpoint endpoint)
    {
        if (string.IsNullOrEmpty(endpoint.Address))
            return "it has no Address.";
        try
        {
            _ = SocketAddresses.ParseListenAddress(endpoint.Address);
        }
        catch (Exception e) when (e is FormatException or PlatformNotSupportedException or System.Net.Sockets.SocketException)
        {
            return $"the address \"{endpoint.Address}\" is none: {e.Message}";
        }
        if (endpoint.Certificate is null)
        {
            return endpoint.Key is not null || endpoint.ClientCertificateMode != ClientCertificateMode.None
                ? "TLS needs a Certificate; without one, there must be no Key and no ClientCertificateMode."
                : null;
        }
        return endpoint.HandshakeTimeout > TimeSpan.Zero || endpoint.HandshakeTimeout == Timeout.InfiniteTimeSpan
            ? null
            : "HandshakeTimeout must be positive, or Timeout.InfiniteTimeSpan.";
    }
}
