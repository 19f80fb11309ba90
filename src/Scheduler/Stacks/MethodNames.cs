using System.Runtime.CompilerServices;
using System.Text;

namespace NetGo;

// The names that people gave, from those that the compiler makes:
//
//   Program+<RunAsync>d__3            Program.RunAsync
//   Program+<>c+<<Main>b__0_1>d       Program.Main.func2         as Go names the second function literal in main
//   Program+<<Main>g__Local|0_1>d     Program.Main.Local
//   Program+<<Main>$>d__0             Program.Main
internal static class MethodNames
{
    /// <summary>The method whose state machine this is.</summary>
    public static string OfStateMachine(Type type) =>
        type.DeclaringType is { } declaring ? $"{OfType(declaring)}.{Demangle(type.Name)}" : OfType(type);

    /// <summary>The method whose state machine is in such a box; of another type its own name.</summary>
    public static string OfBox(Type type) => OfStateMachine(
        Array.Find(type.GetGenericArguments(), static argument => typeof(IAsyncStateMachine).IsAssignableFrom(argument)) ?? type);

    /// <summary>A method of this name, as the runtime has it, of a type.</summary>
    public static string Of(Type? type, string method) =>
        type is null ? Demangle(method)
        : method == "MoveNext" && type.Name.StartsWith('<') ? OfStateMachine(type)
        : $"{OfType(type)}.{Demangle(method)}";

    /// <summary>As <see cref="Of(Type?, string)"/>, of a type that is known by name: "Namespace.Outer+Inner`1[System.__Canon]".</summary>
    public static string Of(string type, string method)
    {
        string[] names = WithoutArguments(type).Split('+');
        if (names is [.., var last] && method == "MoveNext" && last.StartsWith('<'))
        {
            names = names[..^1];
            method = last;
        }
        return string.Join('.', names.Where(static n => !IsClosure(n)).Select(static n => Demangle(WithoutArity(n))).Append(Demangle(WithoutArity(method))));
    }

    private static string OfType(Type type)
    {
        while (IsClosure(type.Name) && type.DeclaringType is { } outer)
            type = outer;
        string name = Demangle(WithoutArity(type.Name));
        if (type.DeclaringType is { } declaring)
            return $"{OfType(declaring)}.{name}";
        return string.IsNullOrEmpty(type.Namespace) ? name : $"{type.Namespace}.{name}";
    }

    private static bool IsClosure(string name) => name.StartsWith("<>c", StringComparison.Ordinal);

    private static string WithoutArity(string name) => name.IndexOf('`', StringComparison.Ordinal) is var tick and > 0 ? name[..tick] : name;

    // "[...]" may be nested.
    private static string WithoutArguments(string name)
    {
        var text = new StringBuilder();
        int depth = 0;
        foreach (char c in name)
        {
            if (c == ']')
                depth--;
            else if (c == '[')
                depth++;
            else if (depth == 0)
                text.Append(c);
        }
        return text.ToString();
    }

    internal static string Demangle(string name)
    {
        if (!name.StartsWith('<'))
            return WithoutArity(name);
        int end = ClosingBracket(name);
        if (end <= 1)
            return name;
        string inside = Demangle(name[1..end]);
        string rest = name[(end + 1)..];
        if (rest.StartsWith("b__", StringComparison.Ordinal))
            return $"{inside}.func{OrdinalOf(rest)}";
        if (rest.StartsWith("g__", StringComparison.Ordinal))
            return $"{inside}.{rest[3..].Split('|')[0]}";
        return inside;
    }

    // "b__3_1" is the second of its method, "b__1" of a closure likewise.
    private static string OrdinalOf(string rest)
    {
        ReadOnlySpan<char> digits = WithoutArity(rest).AsSpan();
        digits = digits[(digits.LastIndexOf('_') + 1)..];
        return int.TryParse(digits, out int n) ? $"{n + 1}" : "";
    }

    private static int ClosingBracket(string name)
    {
        int depth = 0;
        for (int i = 0; i < name.Length; i++)
        {
            if (name[i] == '<')
                depth++;
            else if (name[i] == '>' && --depth == 0)
                return i;
        }
        return -1;
    }
}
