namespace NetGo.Diagnostics;

/// <summary>What does not change while the process runs.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Id">Its number.</param>
/// <param name="Started">When it was started; milliseconds since 1970.</param>
/// <param name="Runtime">The .NET that it runs on.</param>
/// <param name="System">The operating system.</param>
/// <param name="Cores">How many cores it may use.</param>
/// <param name="Ends">How slices of the timeline end, by their numbers in <see cref="TimelineRowSample.Items"/>.</param>
internal sealed record AboutSample(string Name, int Id, long Started, string Runtime, string System, int Cores, IReadOnlyList<string> Ends);
