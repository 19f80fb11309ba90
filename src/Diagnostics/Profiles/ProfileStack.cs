namespace NetGo.Diagnostics;

/// <summary>A stack with a label, as what samples are summed up by.</summary>
internal sealed class ProfileStack : IEquatable<ProfileStack>
{
    private readonly int _hash;

    public ProfileStack(IReadOnlyList<GoroutineFrame> frames, string? labelKey = null, string? label = null)
    {
        Frames = frames;
        LabelKey = labelKey;
        Label = label;
        var hash = new HashCode();
        foreach (GoroutineFrame frame in frames)
            hash.Add(frame);
        hash.Add(label);
        _hash = hash.ToHashCode();
    }

    /// <summary>From the innermost outwards.</summary>
    public IReadOnlyList<GoroutineFrame> Frames { get; }

    public string? LabelKey { get; }

    public string? Label { get; }

    public bool Equals(ProfileStack? other) =>
        other is not null && other._hash == _hash && other.LabelKey == LabelKey && other.Label == Label && other.Frames.SequenceEqual(Frames);

    public override bool Equals(object? obj) => Equals(obj as ProfileStack);

    public override int GetHashCode() => _hash;
}
