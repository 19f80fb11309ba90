using System.Text;

namespace NetGo.Http;

public sealed partial class Request
{
    /// <summary>The id of the last event that a client has seen that connects again, or null; see
    /// <see cref="ServerSentEvents.StartServerSentEventsAsync"/>. It is whatever the client says.</summary>
    public string? LastEventId =>
        Header["Last-Event-ID"] is { } value ? Encoding.UTF8.GetString(Encoding.Latin1.GetBytes(value)) : null;
}
