using Microsoft.AspNetCore.Mvc;

namespace NetGo.Connections.Tests;

/// <summary>Adds what a form has, which a binder and a formatter have their hands in.</summary>
[ApiController]
[Route("sum")]
public sealed class SumController : ControllerBase
{
    [HttpPost]
    public ActionResult<SumAnswer> Add([FromBody] SumRequest request) =>
        request.Numbers.Length == 0 ? BadRequest() : new SumAnswer(request.Numbers.Sum());
}

public sealed record SumRequest(int[] Numbers);

public sealed record SumAnswer(int Sum);
