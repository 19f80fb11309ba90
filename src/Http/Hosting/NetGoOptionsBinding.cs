using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace NetGo.Http;

/// <summary>Reads options from configuration. A key that is none of theirs is an error: it is most often one that is
/// misspelt.</summary>
internal sealed class NetGoOptionsBinding(IConfiguration section) : IConfigureOptions<NetGoOptions>
{
    public void Configure(NetGoOptions options)
    {
        try
        {
            section.Bind(options, static binder => binder.ErrorOnUnknownConfiguration = true);
        }
        catch (InvalidOperationException e)
        {
            string message = e.InnerException is { } inner ? $"{e.Message} {inner.Message}" : e.Message;
            throw new OptionsValidationException(Options.DefaultName, typeof(NetGoOptions), [message]);
        }
    }
}
