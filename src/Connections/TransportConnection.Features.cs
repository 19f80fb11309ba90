using System.Buffers;
using System.Collections;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Features;

namespace NetGo.Connections;

// Its own features are the object itself. Others, and what replaces its own, are in a list: they are few.
internal abstract partial class TransportConnection
    : IFeatureCollection, IConnectionIdFeature, IConnectionTransportFeature, IConnectionItemsFeature, IMemoryPoolFeature, IConnectionLifetimeFeature,
        IConnectionLifetimeNotificationFeature, IConnectionEndPointFeature, IConnectionSocketFeature, IConnectionInherentKeepAliveFeature
{
    private static readonly Type[] s_own =
    [
        typeof(IConnectionIdFeature), typeof(IConnectionTransportFeature), typeof(IConnectionItemsFeature), typeof(IMemoryPoolFeature),
        typeof(IConnectionLifetimeFeature), typeof(IConnectionLifetimeNotificationFeature), typeof(IConnectionEndPointFeature),
        typeof(IConnectionSocketFeature), typeof(IConnectionInherentKeepAliveFeature),
    ];

    private List<KeyValuePair<Type, object?>>? _others;
    private int _revision;
    private CancellationTokenSource? _closeRequested;
    private CancellationToken? _closeRequestedReplaced;

    public override IDictionary<object, object?> Items
    {
        get => field ??= new ConnectionItems();
        set;
    }

    /// <summary>Whose memory the connection is read into.</summary>
    public abstract MemoryPool<byte> MemoryPool { get; }

    Socket IConnectionSocketFeature.Socket => SocketFeature;

    /// <summary>For options and addresses.</summary>
    private protected abstract Socket SocketFeature { get; }

    bool IConnectionInherentKeepAliveFeature.HasInherentKeepAlive => false;

    CancellationToken IConnectionLifetimeNotificationFeature.ConnectionClosedRequested
    {
        get => _closeRequestedReplaced ?? CloseRequested.Token;
        set => _closeRequestedReplaced = value;
    }

    void IConnectionLifetimeNotificationFeature.RequestClose() => CloseRequested.Cancel();

    private CancellationTokenSource CloseRequested =>
        Volatile.Read(ref _closeRequested) ?? Interlocked.CompareExchange(ref _closeRequested, new CancellationTokenSource(), null) ?? _closeRequested!;

    // ---- IFeatureCollection ----

    bool IFeatureCollection.IsReadOnly => false;

    int IFeatureCollection.Revision => _revision;

    object? IFeatureCollection.this[Type key]
    {
        get => GetFeature(key);
        set => SetFeature(key, value);
    }

    TFeature? IFeatureCollection.Get<TFeature>()
        where TFeature : default => (TFeature?)GetFeature(typeof(TFeature));

    void IFeatureCollection.Set<TFeature>(TFeature? instance)
        where TFeature : default => SetFeature(typeof(TFeature), instance);

    private object? GetFeature(Type key)
    {
        ArgumentNullException.ThrowIfNull(key);
        if (_others is { } others)
        {
            foreach (KeyValuePair<Type, object?> feature in others)
            {
                if (feature.Key == key)
                    return feature.Value;
            }
        }
        return Array.IndexOf(s_own, key) >= 0 ? this : null;
    }

    private void SetFeature(Type key, object? value)
    {
        ArgumentNullException.ThrowIfNull(key);
        _revision++;
        var feature = new KeyValuePair<Type, object?>(key, value);
        _others ??= [];
        for (int i = 0; i < _others.Count; i++)
        {
            if (_others[i].Key == key)
            {
                _others[i] = feature;
                return;
            }
        }
        _others.Add(feature);
    }

    IEnumerator<KeyValuePair<Type, object>> IEnumerable<KeyValuePair<Type, object>>.GetEnumerator()
    {
        foreach (KeyValuePair<Type, object?> feature in _others ?? [])
        {
            if (feature.Value is { } value)
                yield return new KeyValuePair<Type, object>(feature.Key, value);
        }
        foreach (Type key in s_own)
        {
            if (_others is null || !_others.Exists(other => other.Key == key))
                yield return new KeyValuePair<Type, object>(key, this);
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => ((IEnumerable<KeyValuePair<Type, object>>)this).GetEnumerator();
}
