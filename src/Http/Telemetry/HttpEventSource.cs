using System.Diagnostics.Tracing;

namespace NetGo.Http;

/// <summary>The events of the server, for dotnet-trace and the like. A connection has one request at a time, so its number says which stop belongs
/// to which start.</summary>
[EventSource(Name = "NetGo-Http")]
internal sealed class HttpEventSource : EventSource
{
    public static readonly HttpEventSource Log = new();

    private HttpEventSource()
    {
    }

    // Without activities of their own: those would change the execution context that handlers run in.

    [Event(1, Level = EventLevel.Informational, ActivityOptions = EventActivityOptions.Disable)]
    public void ConnectionStart(long connection, string remote) => WriteEvent(1, connection, remote);

    [Event(2, Level = EventLevel.Informational, ActivityOptions = EventActivityOptions.Disable)]
    public void ConnectionStop(long connection) => WriteEvent(2, connection);

    [Event(3, Level = EventLevel.Informational, ActivityOptions = EventActivityOptions.Disable)]
    public unsafe void RequestStart(long connection, string method, string path)
    {
        fixed (char* methodChars = method)
        fixed (char* pathChars = path)
        {
            EventData* data = stackalloc EventData[3];
            data[0] = new EventData { DataPointer = (nint)(&connection), Size = sizeof(long) };
            data[1] = Text(methodChars, method);
            data[2] = Text(pathChars, path);
            WriteEventCore(3, 3, data);
        }
    }

    /// <param name="connection">The number of the connection.</param>
    /// <param name="route">The pattern that matched; "" when none did.</param>
    /// <param name="status">0 when no response was sent.</param>
    /// <param name="error">"" when it did not fail.</param>
    /// <param name="milliseconds">From the end of the request's head to the end of the response.</param>
    [Event(4, Level = EventLevel.Informational, ActivityOptions = EventActivityOptions.Disable)]
    public unsafe void RequestStop(long connection, string route, int status, string error, double milliseconds)
    {
        fixed (char* routeChars = route)
        fixed (char* errorChars = error)
        {
            EventData* data = stackalloc EventData[5];
            data[0] = new EventData { DataPointer = (nint)(&connection), Size = sizeof(long) };
            data[1] = Text(routeChars, route);
            data[2] = new EventData { DataPointer = (nint)(&status), Size = sizeof(int) };
            data[3] = Text(errorChars, error);
            data[4] = new EventData { DataPointer = (nint)(&milliseconds), Size = sizeof(double) };
            WriteEventCore(4, 5, data);
        }
    }

    /// <summary>The server has answered a request itself, because it is malformed or beyond a limit; no handler has seen it.</summary>
    [Event(5, Level = EventLevel.Warning, ActivityOptions = EventActivityOptions.Disable)]
    public unsafe void BadRequest(long connection, int status, string reason)
    {
        fixed (char* reasonChars = reason)
        {
            EventData* data = stackalloc EventData[3];
            data[0] = new EventData { DataPointer = (nint)(&connection), Size = sizeof(long) };
            data[1] = new EventData { DataPointer = (nint)(&status), Size = sizeof(int) };
            data[2] = Text(reasonChars, reason);
            WriteEventCore(5, 3, data);
        }
    }

    // With the NUL at its end.
    private static unsafe EventData Text(char* characters, string text) =>
        new() { DataPointer = (nint)characters, Size = (text.Length + 1) * sizeof(char) };
}
