namespace Resp;

/// <summary>A command that clients may give.</summary>
/// <param name="Name">In small letters.</param>
/// <param name="Arity">How many arguments it has, its name among them; negative for at least that many. As COMMAND says it in Redis.</param>
/// <param name="Run">Does it, and replies.</param>
internal sealed record Command(string Name, int Arity, Action<RespParser, RespSession> Run)
{
    public bool Takes(int count) => Arity >= 0 ? count == Arity : count >= -Arity;
}
