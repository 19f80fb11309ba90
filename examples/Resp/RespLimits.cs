namespace Resp;

/// <summary>How large a command may be. Smaller than Redis's defaults (512 MB, 1,048,576): what a command holds is kept in memory until it is whole.</summary>
internal sealed record RespLimits
{
    /// <summary>The longest argument, in bytes.</summary>
    public int MaxBulkLength { get; init; } = 16 * 1024 * 1024;

    /// <summary>The most arguments, the command's name among them.</summary>
    public int MaxArguments { get; init; } = 64 * 1024;

    /// <summary>The longest command, its framing included, in bytes.</summary>
    public int MaxCommandLength { get; init; } = 64 * 1024 * 1024;

    /// <summary>The longest inline command, in bytes. Redis's.</summary>
    public int MaxInlineLength { get; init; } = 64 * 1024;
}
