namespace Chat;

/// <summary>One thing that was said.</summary>
internal sealed record Message(long Id, string Text);
