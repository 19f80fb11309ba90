namespace JsonApi;

/// <summary>A book as it is kept and sent.</summary>
internal sealed record Book(string Isbn, string Title, string? Author, int? Year);
