using System.Net;
using System.Text.Json.Nodes;
using CapaEngine.Integration.Infrastructure;
using CapaEngine.Integration.Journeys;

namespace CapaEngine.Integration.Faults;

/// <summary>
/// Machines and a quality engineer that go on through a fault, and repeat what was not answered until it is. Afterwards
/// it is known what was accepted, and so must be there.
/// </summary>
internal sealed class FaultTraffic(Uri api, string name) : IAsyncDisposable
{
    private const string Batch = "application/cloudevents-batch+json";
    private const int SteadyEventsPerBatch = 10;
    private const int BurstEventsPerBatch = 100;
    private const int BurstEventsMax = 4_000;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(120);
    private static readonly DateTimeOffset Day = new(2026, 3, 2, 8, 0, 0, TimeSpan.Zero);

    private readonly ApiClient machine = new(api, "line-1", "source-system");
    private readonly ApiClient engineer = new(api, "quinn", "quality-engineer");
    private readonly CancellationTokenSource stop = new();
    private int sent;
    private int accepted;
    private int capas;
    private int repeats;
    private Task running = Task.CompletedTask;

    /// <summary>The source of its events.</summary>
    public string Source { get; } = $"urn:fault:{name}";

    /// <summary>Events that were answered as recorded, each counted once.</summary>
    public int Accepted => Volatile.Read(ref accepted);

    /// <summary>CAPAs whose opening was answered.</summary>
    public int Capas => Volatile.Read(ref capas);

    /// <summary>Requests that had to be sent again.</summary>
    public int Repeats => Volatile.Read(ref repeats);

    /// <summary>Signs in while everything is well, and begins.</summary>
    public async Task StartAsync(Traffic traffic, CancellationToken ct)
    {
        await SendAsync(SteadyEventsPerBatch, ct);
        await OpenCapaAsync(ct);
        var (lanes, events, period) = traffic switch
        {
            Traffic.Idle => (0, 0, TimeSpan.Zero),
            Traffic.Steady => (1, SteadyEventsPerBatch, TimeSpan.FromMilliseconds(200)),
            _ => (4, BurstEventsPerBatch, TimeSpan.FromMilliseconds(1)),
        };
        if (lanes == 0) return;
        var people = RepeatAsync(TimeSpan.FromSeconds(1), OpenCapaAsync, ct);
        var machines = Enumerable.Range(0, lanes).Select(
            _ => RepeatAsync(period, token => SendAsync(events, token), ct));
        running = Task.WhenAll([people, .. machines]);
    }

    /// <summary>Waits until so many more events were accepted since now, so that the way is open again.</summary>
    public async Task EndAsync(int events, CancellationToken ct)
    {
        await SendAsync(events, ct);
        await OpenCapaAsync(ct);
        await stop.CancelAsync();
        await running;
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        machine.Dispose();
        engineer.Dispose();
        stop.Dispose();
    }

    private async Task RepeatAsync(TimeSpan period, Func<CancellationToken, Task> send, CancellationToken ct)
    {
        await Task.Yield();
        using var ticks = new PeriodicTimer(period);
        while (!stop.IsCancellationRequested && Volatile.Read(ref sent) < BurstEventsMax)
        {
            await send(ct);
            await ticks.WaitForNextTickAsync(ct);
        }
    }

    private async Task SendAsync(int count, CancellationToken ct)
    {
        var first = Interlocked.Add(ref sent, count) - count;
        var events = Enumerable.Range(first, count).Select(n => DeviationJson.Event(
            Source, $"{n}", $"{name}-{n % 7}", "minor", Day.AddSeconds(n)));
        var body = $"[{string.Join(',', events)}]";
        var answered = await UntilAnsweredAsync(
            token => machine.TryPostRawAsync("deviations", body, Batch, token), HttpStatusCode.OK, ct);
        var outcomes = answered.Body!.AsArray().Select(receipt => (string)receipt!["outcome"]!).ToList();
        if (outcomes.Count != count || outcomes.Exists(outcome => outcome is not ("accepted" or "duplicate")))
            throw new InvalidOperationException($"{name}: {answered.Body}");
        Interlocked.Add(ref accepted, count);
    }

    private async Task OpenCapaAsync(CancellationToken ct)
    {
        var key = Guid.NewGuid().ToString();
        var body = new { site = "north", title = name, owner = "quinn", reason = "A near miss." };
        await UntilAnsweredAsync(
            token => engineer.TryPostAsync("action-plans", body, null, null, token, key), HttpStatusCode.Created, ct);
        Interlocked.Increment(ref capas);
    }

    private async Task<Answered> UntilAnsweredAsync(
        Func<CancellationToken, Task<Answered>> send, HttpStatusCode expected, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(Patience);
        using var pause = new PeriodicTimer(TimeSpan.FromMilliseconds(250));
        var last = "no answer";
        try
        {
            while (true)
            {
                try
                {
                    var answered = await send(limit.Token);
                    if (answered.Status == expected) return answered;
                    last = $"{answered.Status} {answered.Body}";
                    if (answered.Status is not (HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests
                        or HttpStatusCode.BadGateway or HttpStatusCode.GatewayTimeout))
                        throw new InvalidOperationException($"{name} is refused for good: {last}");
                }
                catch (HttpRequestException broken)
                {
                    last = broken.Message;
                }

                Interlocked.Increment(ref repeats);
                await pause.WaitForNextTickAsync(limit.Token);
            }
        }
        catch (OperationCanceledException over) when (!ct.IsCancellationRequested)
        {
            throw new TimeoutException($"{name} was not answered within {Patience}; at last: {last}", over);
        }
    }
}
