using Microsoft.AspNetCore.Mvc;

namespace NetGo.Connections.Tests;

/// <summary>Adds numbers, which come and go through MVC's binder and formatters.</summary>
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
