namespace Resp;

/// <summary>When SET sets.</summary>
internal enum SetCondition
{
    Always,
    IfAbsent,
    IfPresent,
}
