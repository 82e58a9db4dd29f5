using System.Net;
using System.Net.Sockets;
using CapaEngine.Integration.Infrastructure;

namespace CapaEngine.Integration.EventStore;

/// <summary>
/// A line between a client and a node that can be cut, and that can swallow what is sent over it while both ends
/// believe that it stands.
/// </summary>
internal sealed class FaultyLine : IAsyncDisposable
{
    private readonly int _target;
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _closed = new();
    private readonly List<TcpClient> _ends = [];
    private readonly Task _accepting;
    private volatile bool _swallowing;
    private volatile bool _deafToAnswers;
    private int _connections;

    /// <param name="target">The port of the node.</param>
    public FaultyLine(int target)
    {
        (_target, Port) = (target, ServiceProcess.FreePort());
        _listener = new TcpListener(IPAddress.Loopback, Port);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Where the client connects.</summary>
    public int Port { get; }

    /// <summary>How many times the client has connected.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>Ends every connection; new ones are taken.</summary>
    public void Cut()
    {
        lock (_ends)
        {
            _ends.ForEach(end => end.Dispose());
            _ends.Clear();
        }
    }

    /// <summary>From now on the connections that stand carry nothing, in neither direction.</summary>
    public void Swallow() => _swallowing = true;

    /// <summary>From now on the node hears the client, and the client hears nothing.</summary>
    public void SwallowAnswers() => _deafToAnswers = true;

    /// <summary>New connections are good again; those that swallowed stay as they are.</summary>
    public void Mend() => _swallowing = _deafToAnswers = false;

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _closed.CancelAsync();
        _listener.Stop();
        Cut();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _closed.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_closed.IsCancellationRequested)
        {
            var client = await _listener.AcceptTcpClientAsync(_closed.Token);
            Interlocked.Increment(ref _connections);
            var node = new TcpClient();
            lock (_ends)
            {
                _ends.AddRange([client, node]);
            }

            try
            {
                await node.ConnectAsync(IPAddress.Loopback, _target, _closed.Token);
            }
            catch (SocketException)
            {
                client.Dispose();
                continue;
            }

            _ = CarryAsync(client, node, () => _swallowing);
            _ = CarryAsync(node, client, () => _swallowing || _deafToAnswers);
        }
    }

    /// <summary>Once a direction of a connection has swallowed something it carries nothing any more.</summary>
    private async Task CarryAsync(TcpClient from, TcpClient to, Func<bool> swallows)
    {
        var (buffer, swallowing) = (new byte[64 * 1024], false);
        try
        {
            while (await from.GetStream().ReadAsync(buffer, _closed.Token) is > 0 and var read)
            {
                swallowing |= swallows();
                if (!swallowing)
                {
                    await to.GetStream().WriteAsync(buffer.AsMemory(0, read), _closed.Token);
                }
            }
        }
        catch (Exception cut) when (cut is IOException or ObjectDisposedException or InvalidOperationException
                                        or OperationCanceledException)
        {
            // One end is gone: so is the other.
        }

        if (!swallowing)
        {
            from.Dispose();
            to.Dispose();
        }
    }
}
