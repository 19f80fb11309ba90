using System.Runtime.CompilerServices;

namespace NetGo;

/// <summary>What a goroutine goes on with, in words: "Namespace.Type.Method" for the state machine of an async method, in its box or not.</summary>
internal static class AsyncMethodName
{
    public static string Of(Type type)
    {
        Type stateMachine = type;
        if (type.IsGenericType)
        {
            foreach (Type argument in type.GetGenericArguments())
            {
                if (typeof(IAsyncStateMachine).IsAssignableFrom(argument))
                    stateMachine = argument;
            }
        }
        string name = (stateMachine.IsGenericType ? stateMachine.GetGenericTypeDefinition() : stateMachine).FullName ?? stateMachine.Name;
        // The compiler's name of a method's state machine: "Type+<Method>d__1"; of a lambda's: "Type+<>c+<<Method>b__0>d".
        int plus = name.LastIndexOf('+');
        int open = plus < 0 ? -1 : name.IndexOf('<', plus);
        int close = open < 0 ? -1 : name.LastIndexOf('>');
        if (close <= open)
            return name.Replace('+', '.');
        string method = name[(open + 1)..close].Replace("<", "").Replace(">", ".");
        string owner = name[..plus].Replace("+<>c__DisplayClass", "+<>c").Replace('+', '.');
        int closure = owner.IndexOf(".<>c", StringComparison.Ordinal);
        return $"{(closure < 0 ? owner : owner[..closure])}.{method}";
    }
}
