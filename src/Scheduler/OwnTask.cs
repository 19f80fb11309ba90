namespace NetGo;

/// <summary>Marks tasks that a goroutine completes, by their AsyncState: who waits for one waits for a goroutine.</summary>
internal sealed class OwnTask
{
    public static readonly OwnTask Marker = new();

    private OwnTask()
    {
    }
}
