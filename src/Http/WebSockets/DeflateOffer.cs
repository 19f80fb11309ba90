using System.Globalization;
using System.Net.WebSockets;
using System.Text;

namespace NetGo.Http;

/// <summary>The negotiation of permessage-deflate (RFC 7692, section 7.1).</summary>
internal static class DeflateOffer
{
    private const string Name = "permessage-deflate";
    private const int MinBits = 9; // 8 is legal, but nothing that zlib can make
    private const int MaxBits = 15;

    /// <summary>Takes the first offer that can be met.</summary>
    /// <param name="request">With its offers in Sec-WebSocket-Extensions.</param>
    /// <param name="answer">For the same field of the answer.</param>
    /// <returns>Null when there is none: messages are not compressed.</returns>
    public static WebSocketDeflateOptions? Accept(Request request, out string answer)
    {
        foreach (string line in request.Header.GetAll("Sec-WebSocket-Extensions"))
        {
            // None of the parameters of this extension has a comma in its value; an offer of another that has is not recognized.
            foreach (string offer in line.Split(',', StringSplitOptions.TrimEntries))
            {
                if (TryAccept(offer.Split(';', StringSplitOptions.TrimEntries), out answer) is { } options)
                    return options;
            }
        }
        answer = "";
        return null;
    }

    private static WebSocketDeflateOptions? TryAccept(string[] offer, out string answer)
    {
        var text = new StringBuilder(Name);
        var options = new WebSocketDeflateOptions();
        var seen = new HashSet<string>(StringComparer.Ordinal);
        answer = "";
        if (offer[0] != Name)
            return null;
        foreach (string parameter in offer.AsSpan(1))
        {
            string[] parts = parameter.Split('=', 2, StringSplitOptions.TrimEntries);
            string? value = parts.Length > 1 ? parts[1].Trim('"') : null;
            if (!seen.Add(parts[0]) || !TryMeet(parts[0], value, options))
                return null;
            // What is asked of the server it confirms; client_max_window_bits alone only says that the client would obey.
            if (parts[0] != "client_max_window_bits" || value is not null)
                text.Append("; ").Append(parts[0]);
            if (value is not null)
                text.Append('=').Append(value);
        }
        answer = text.ToString();
        return options;
    }

    private static bool TryMeet(string parameter, string? value, WebSocketDeflateOptions options)
    {
        switch (parameter)
        {
            case "server_no_context_takeover" when value is null:
                options.ServerContextTakeover = false;
                return true;
            case "client_no_context_takeover" when value is null:
                options.ClientContextTakeover = false;
                return true;
            case "server_max_window_bits" when TryParseBits(value, out int bits):
                options.ServerMaxWindowBits = bits;
                return true;
            case "client_max_window_bits" when value is null:
                return true;
            case "client_max_window_bits" when TryParseBits(value, out int bits):
                options.ClientMaxWindowBits = bits;
                return true;
            default:
                return false;
        }
    }

    private static bool TryParseBits(string? value, out int bits) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out bits) &&
        bits is >= MinBits and <= MaxBits && value![0] != '0';
}
