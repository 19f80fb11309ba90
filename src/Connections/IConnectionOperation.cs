using NetGo.Netpoll;

namespace NetGo.Connections;

/// <summary>What a <see cref="ConnectionOperation{TResult}"/> does.</summary>
internal interface IConnectionOperation<TResult>
{
    /// <summary>Tries the system call, unless <paramref name="poll"/> says that the wait has ended otherwise. False when it has to wait (again);
    /// else there is a result, or a failure. By one thread at a time.</summary>
    bool TryConclude(PollResult poll, CancellationToken cancellationToken, out TResult result, out Exception? failure);

    /// <summary>The operation is over, and the connection's descriptor no longer held by it. Before whoever awaits it goes on.</summary>
    void OnEnded();
}
