using NetGo.Http;

namespace JsonApi;

/// <summary>The resources: /books and /books/{isbn}.</summary>
internal sealed class BookApi : IHandler
{
    private const int MaxContent = 16 * 1024;

    private readonly BookStore _store;
    private readonly ServeMux _mux = new();

    public BookApi(BookStore store)
    {
        _store = store;
        _mux.HandleFunc("GET /books", ListAsync);
        _mux.HandleFunc("POST /books", CreateAsync);
        _mux.HandleFunc("/books", static (response, _) => Problems.MethodNotAllowedAsync(response, "GET, HEAD, POST"));
        _mux.HandleFunc("GET /books/{isbn}", ReadAsync);
        _mux.HandleFunc("PUT /books/{isbn}", ReplaceAsync);
        _mux.HandleFunc("DELETE /books/{isbn}", DeleteAsync);
        _mux.HandleFunc("/books/{isbn}", static (response, _) => Problems.MethodNotAllowedAsync(response, "DELETE, GET, HEAD, PUT"));
        _mux.HandleFunc("/", static (response, _) => Problems.AnswerAsync(response, 404, "There is nothing here."));
    }

    public ValueTask ServeHttpAsync(ResponseWriter response, Request request) => _mux.ServeHttpAsync(response, request);

    private ValueTask ListAsync(ResponseWriter response, Request request)
    {
        response.WriteJson(_store.List(request.QueryValues["author"]), ApiJson.Default.BookArray);
        return default;
    }

    private async ValueTask CreateAsync(ResponseWriter response, Request request)
    {
        if (await ReadBookAsync(response, request) is not { } book)
            return;
        switch (_store.Add(book))
        {
            case BookStore.AddOutcome.Exists:
                await Problems.AnswerAsync(response, 409, "There is a book with this ISBN.");
                break;
            case BookStore.AddOutcome.Full:
                await Problems.AnswerAsync(response, 507, $"There are {BookStore.MaxBooks} books, which is the most.");
                break;
            default:
                response.Header.Set("Location", $"/books/{book.Isbn}");
                Answer(response, 201, book);
                break;
        }
    }

    private ValueTask ReadAsync(ResponseWriter response, Request request)
    {
        if (_store.Find(request.PathValue("isbn")) is not { } book)
            return NoBookAsync(response);
        Answer(response, 200, book);
        return default;
    }

    private async ValueTask ReplaceAsync(ResponseWriter response, Request request)
    {
        if (await ReadBookAsync(response, request) is not { } book)
            return;
        if (book.Isbn != request.PathValue("isbn"))
            await Problems.AnswerAsync(response, 409, "The ISBN of a book cannot be changed.");
        else if (!_store.Replace(book))
            await NoBookAsync(response);
        else
            Answer(response, 200, book);
    }

    private ValueTask DeleteAsync(ResponseWriter response, Request request)
    {
        if (!_store.Remove(request.PathValue("isbn")))
            return NoBookAsync(response);
        response.WriteHeader(204);
        return default;
    }

    // Null: the client has been told what is wrong. Malformed JSON and the like throw, see Problems.ForBadRequests.
    private static async ValueTask<Book?> ReadBookAsync(ResponseWriter response, Request request)
    {
        BookDraft? draft = await request.ReadJsonAsync(ApiJson.Default.BookDraft, MaxContent);
        Book? book = (draft ?? new BookDraft()).Validate(out Dictionary<string, string[]> errors);
        if (book is null)
            await Problems.AnswerAsync(response, 400, "The book is not valid.", errors);
        return book;
    }

    private static void Answer(ResponseWriter response, int status, Book book)
    {
        response.Header.Set("Content-Type", "application/json");
        response.WriteHeader(status);
        response.WriteJson(book, ApiJson.Default.Book);
    }

    private static ValueTask NoBookAsync(ResponseWriter response) => Problems.AnswerAsync(response, 404, "There is no such book.");
}
