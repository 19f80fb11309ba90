namespace Resp;

/// <summary>A value, which is never changed but replaced.</summary>
/// <param name="Value">Its bytes.</param>
/// <param name="Expires">When it is gone, in UTC; null for never.</param>
internal readonly record struct StoreEntry(byte[] Value, DateTimeOffset? Expires);
