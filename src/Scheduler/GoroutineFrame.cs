namespace NetGo;

/// <summary>A method that a goroutine is in.</summary>
/// <param name="Method">As in "Namespace.Type.Method". Lambdas are named after their method, as Go names them: "Type.Method.func1".</param>
/// <param name="File">The path of the source file; null when there are no symbols.</param>
/// <param name="Line">The line; 0 when there are no symbols.</param>
public sealed record GoroutineFrame(string Method, string? File, int Line)
{
    /// <summary>As in "Namespace.Type.Method(...) Program.cs:12".</summary>
    public override string ToString() => File is null ? $"{Method}(...)" : $"{Method}(...) {Path.GetFileName(File)}:{Line}";
}
