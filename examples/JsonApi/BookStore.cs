namespace JsonApi;

/// <summary>The books, in memory. Thread-safe.</summary>
internal sealed class BookStore
{
    /// <summary>The most books: clients must not be able to fill the memory.</summary>
    public const int MaxBooks = 10_000;

    private readonly Lock _lock = new();
    private readonly SortedDictionary<string, Book> _books = new(StringComparer.Ordinal);

    public enum AddOutcome
    {
        Added,
        Exists,
        Full,
    }

    public Book[] List(string? author)
    {
        lock (_lock)
            return [.. _books.Values.Where(book => author is null || book.Author == author)];
    }

    public Book? Find(string isbn)
    {
        lock (_lock)
            return _books.GetValueOrDefault(isbn);
    }

    public AddOutcome Add(Book book)
    {
        lock (_lock)
        {
            if (_books.ContainsKey(book.Isbn))
                return AddOutcome.Exists;
            if (_books.Count == MaxBooks)
                return AddOutcome.Full;
            _books.Add(book.Isbn, book);
            return AddOutcome.Added;
        }
    }

    public bool Replace(Book book)
    {
        lock (_lock)
        {
            if (!_books.ContainsKey(book.Isbn))
                return false;
            _books[book.Isbn] = book;
            return true;
        }
    }

    public bool Remove(string isbn)
    {
        lock (_lock)
            return _books.Remove(isbn);
    }
}
