namespace NetGo.Http;

/// <summary>The routes of patterns that differ only in their method. There are few, so it is searched from end to end.</summary>
internal sealed class MethodTable<T>
    where T : class
{
    private Route<T>[] _routes = [];
    private Route<T>? _anyMethod;

    public void Add(Route<T> route)
    {
        if (route.Method.Length == 0)
            _anyMethod = route;
        else
            _routes = [.. _routes, route];
    }

    /// <summary>The route for this method, else that for GET if it is HEAD, else that for every method.</summary>
    public Route<T>? Find(ReadOnlySpan<byte> method) =>
        FindNamed(method) ?? (method.SequenceEqual("HEAD"u8) ? FindNamed("GET"u8) : null) ?? _anyMethod;

    public void AddMethodsTo(ref SortedSet<string>? methods)
    {
        foreach (Route<T> route in _routes)
        {
            methods ??= new SortedSet<string>(StringComparer.Ordinal);
            methods.Add(route.Pattern.Method);
            if (route.Pattern.Method == "GET")
                methods.Add("HEAD");
        }
    }

    private Route<T>? FindNamed(ReadOnlySpan<byte> method)
    {
        foreach (Route<T> route in _routes)
        {
            if (method.SequenceEqual(route.Method))
                return route;
        }

        return null;
    }
}
