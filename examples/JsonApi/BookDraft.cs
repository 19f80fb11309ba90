namespace JsonApi;

/// <summary>A book as a client sends it: anything may be missing or wrong.</summary>
internal sealed class BookDraft
{
    private const int MaxText = 200;

    public string? Isbn { get; init; }
    public string? Title { get; init; }
    public string? Author { get; init; }
    public int? Year { get; init; }

    /// <summary>The book; or, when something is wrong, what it is, by member.</summary>
    public Book? Validate(out Dictionary<string, string[]> errors)
    {
        errors = [];
        if (!IsIsbn(Isbn))
            errors.Add("isbn", ["Must be an ISBN of 13 digits, the last of which is right."]);
        if (string.IsNullOrWhiteSpace(Title) || Title.Length > MaxText)
            errors.Add("title", [$"Must have 1 to {MaxText} characters."]);
        if (Author is { Length: 0 or > MaxText })
            errors.Add("author", [$"Must have 1 to {MaxText} characters, or be left out."]);
        if (Year is < 1450 or > 2100)
            errors.Add("year", ["Must be from 1450 to 2100, or be left out."]);
        return errors.Count == 0 ? new Book(Isbn!, Title!, Author, Year) : null;
    }

    // The weighted sum of the digits, the check digit included, is a multiple of ten.
    private static bool IsIsbn(string? text)
    {
        if (text is not { Length: 13 } || text.AsSpan().ContainsAnyExceptInRange('0', '9'))
            return false;
        int sum = 0;
        for (int i = 0; i < text.Length; i++)
            sum += (text[i] - '0') * (i % 2 == 0 ? 1 : 3);
        return sum % 10 == 0;
    }
}
