using System.Text.Json;
using CapaEngine.Hosting;

namespace CapaEngine.Specs.Pipeline;

/// <summary>Takes a batch in a consumer's process.</summary>
internal delegate Task ConsumeBatch(string routingKey, EventBatch batch, CancellationToken ct);

/// <summary>
/// A broker with one exchange and durable queues with one active consumer each. It promises what the pipeline is
/// allowed to rely on, which is nothing but the confirm.
/// </summary>
internal sealed class SimulatedBroker(Schedule schedule, Faults faults)
{
    private static readonly TimeSpan DelayMax = TimeSpan.FromSeconds(15);
    private readonly Dictionary<string, SimulatedQueue> queues = new(StringComparer.Ordinal);

    /// <summary>Looks at each batch that the broker takes.</summary>
    public Action<EventBatch>? Taken { get; set; }

    public IReadOnlyList<SimulatedQueue> Queues => [.. queues.Values];

    /// <summary>Declares a queue once, with its routing keys.</summary>
    public SimulatedQueue Declare(string name, IReadOnlyList<string> routingKeys)
    {
        if (!queues.TryGetValue(name, out var queue))
            queues[name] = queue = new SimulatedQueue(name, [.. routingKeys], schedule, faults);
        return queue;
    }

    /// <summary>Publishes as <paramref name="sender"/>; completes with the confirm, if one comes.</summary>
    public Task PublishAsync(SimulatedProcess sender, string routingKey, EventBatch batch, CancellationToken ct)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(batch);
        var confirm = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        ct.UnsafeRegister(static (source, ct) => ((TaskCompletionSource)source!).TrySetCanceled(ct), confirm);
        schedule.Post(null, $"{sender.Name} publishes {routingKey} {batch.After}..{batch.Through}", _ =>
        {
            if (faults.Hit(Fault.PublishLost, sender.Name)) return;
            if (faults.Hit(Fault.PublishDelayed, sender.Name))
            {
                schedule.After(
                    DelayMax * schedule.Choice.NextDouble(), $"a delayed batch of {routingKey} arrives",
                    () => Route(routingKey, bytes, confirm));
                return;
            }

            if (faults.Hit(Fault.PublishRefused, sender.Name))
                confirm.TrySetException(new IOException("The broker takes nothing."));
            else
                Route(routingKey, bytes, faults.Hit(Fault.ConfirmLost, sender.Name) ? null : confirm);
        });
        // Without a confirm only the deadline ends the waiting.
        return confirm.Task;
    }

    private void Route(string routingKey, byte[] bytes, TaskCompletionSource? confirm)
    {
        var bound = queues.Values.Where(queue => queue.RoutingKeys.Contains(routingKey)).ToList();
        if (bound.Count == 0)
        {
            confirm?.TrySetException(new IOException($"No queue takes {routingKey}."));
            return;
        }

        foreach (var queue in bound) queue.Add(routingKey, bytes);
        Taken?.Invoke(JsonSerializer.Deserialize<EventBatch>(bytes)!);
        confirm?.TrySetResult();
    }
}

/// <summary>A queue: one batch at a time goes to the active consumer, and stays until it is acknowledged.</summary>
internal sealed class SimulatedQueue(string name, HashSet<string> routingKeys, Schedule schedule, Faults faults)
{
    private readonly List<(string RoutingKey, byte[] Bytes)> ready = [];
    private readonly List<Consumer> consumers = [];
    private (string RoutingKey, byte[] Bytes)? unacknowledged;
    private int delivery;

    public string Name { get; } = name;

    public IReadOnlySet<string> RoutingKeys { get; } = routingKeys;

    public bool IsEmpty => ready.Count == 0 && unacknowledged is null;

    public void Add(string routingKey, byte[] bytes)
    {
        if (faults.Hit(Fault.MessageLost, Name)) return;
        var at = faults.Hit(Fault.MessageReordered, Name) ? schedule.Choice.Next(ready.Count + 1) : ready.Count;
        ready.Insert(at, (routingKey, bytes));
        if (faults.Hit(Fault.MessageRepeated, Name)) ready.Add((routingKey, bytes));
        DeliverSoon();
    }

    /// <summary>A consumer that becomes the active one when those before it are gone.</summary>
    public void Attach(SimulatedProcess process, ConsumeBatch consume)
    {
        consumers.Add(new Consumer(process, consume));
        DeliverSoon();
    }

    public void Purge()
    {
        ready.Clear();
        schedule.Tell(Name, "purged");
    }

    /// <summary>
    /// The active consumer's channel is gone, or its process: what it has not acknowledged is delivered again. A living
    /// one stands behind the others from now on.
    /// </summary>
    public void Cut()
    {
        if (consumers.Count == 0) return;
        var cut = consumers[0];
        consumers.RemoveAt(0);
        if (cut.Process.IsAlive) consumers.Add(cut);
        GiveBack();
    }

    public void Detach(SimulatedProcess process)
    {
        var wasActive = consumers.Count > 0 && consumers[0].Process == process;
        consumers.RemoveAll(consumer => consumer.Process == process);
        if (wasActive) GiveBack();
    }

    private void GiveBack()
    {
        delivery++;
        if (unacknowledged is { } message) ready.Insert(0, message);
        unacknowledged = null;
        DeliverSoon();
    }

    private void DeliverSoon() => schedule.Post(null, $"{Name} delivers", _ => Deliver());

    private void Deliver()
    {
        if (unacknowledged is not null || ready.Count == 0 || consumers.Count == 0) return;
        var message = ready[0];
        ready.RemoveAt(0);
        unacknowledged = message;
        var (mine, active) = (++delivery, consumers[0]);
        var batch = JsonSerializer.Deserialize<EventBatch>(message.Bytes)!;
        active.Process.Start($"takes {message.RoutingKey} {batch.After}..{batch.Through}", async () =>
        {
            await active.Consume(message.RoutingKey, batch, CancellationToken.None);
            schedule.Post(null, $"{active.Process.Name} acknowledges", _ => Acknowledge(mine));
        });
    }

    private void Acknowledge(int which)
    {
        if (which != delivery) return;
        unacknowledged = null;
        DeliverSoon();
    }

    private sealed record Consumer(SimulatedProcess Process, ConsumeBatch Consume);
}
