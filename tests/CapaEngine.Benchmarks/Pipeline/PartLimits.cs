using System.Diagnostics;
using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Integration.Infrastructure;
using CapaEngine.Kernel;
using CapaEngine.ReadModels;
using Npgsql;
using RabbitMQ.Client;
using RabbitMQ.Client.Events;

namespace CapaEngine.Benchmarks.Pipeline;

/// <summary>
/// What each part of the way does alone, with the shapes the pipeline uses: appends to a log of its own, batches of
/// 100 events through the broker with confirms and acknowledgements, and rows of 100 events a transaction.
/// </summary>
internal sealed class PartLimits(TimeSpan duration)
{
    private const int PipelinedCallers = 2_000;
    private const int BatchEvents = 100;
    private const string Exchange = "bench";
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(2);

    private readonly DateTimeOffset _now = DateTimeOffset.UtcNow;

    /// <summary>Events a second that a local event log of its own takes, one stream each.</summary>
    public async Task<double> AppendAsync(CancellationToken ct)
    {
        await using var log = await EventLogUnderTest.StartAsync(ct);
        // The first events make this process ready: code is compiled, and the catalog of events is read.
        await AppendOnceAsync(log, ct);
        await Callers.RunAsync(PipelinedCallers, WarmUp, token => AppendOnceAsync(log, token), ct);
        var (count, elapsed, _) = await Callers.RunAsync(
            PipelinedCallers, duration, token => AppendOnceAsync(log, token), ct);
        return count / elapsed.TotalSeconds;
    }

    /// <summary>Events a second in batches through a quorum queue for each partition, one at a time in each.</summary>
    public async Task<double> PublishAndConsumeAsync(CancellationToken ct)
    {
        var address = BrokerAddress.Parse(await TestServers.CreateVirtualHostAsync(ct));
        await using var connection = await address.ConnectAsync("bench", TimeSpan.FromSeconds(60), ct);
        var body = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(
            new EventBatch(0, 0, 1, [.. Enumerable.Range(0, BatchEvents).Select(n => Enveloped(Incoming(n)))]));
        var started = Stopwatch.GetTimestamp();
        var counts = await Task.WhenAll(Enumerable.Range(0, Partitions.CountDefault).Select(partition =>
            PassAsync(connection, $"bench.{partition}", body, started, ct)));
        return counts.Sum() * BatchEvents / Stopwatch.GetElapsedTime(started).TotalSeconds;
    }

    /// <summary>Rows a second that the projector's statement puts into a copy of its table.</summary>
    public async Task<double> UpsertAsync(string database, CancellationToken ct)
    {
        await using var source = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(database) { MaxAutoPrepare = 20, AutoPrepareMinUsages = 2 });
        await using (var copy = source.CreateCommand("""
            create schema bench;
            create table bench.deviation (like read_models.deviation including all);
            """))
            await copy.ExecuteNonQueryAsync(ct);
        var (count, elapsed, _) = await Callers.RunAsync(
            Partitions.CountDefault, duration, token => InsertAsync(source, token), ct);
        await using (var drop = source.CreateCommand("drop schema bench cascade"))
            await drop.ExecuteNonQueryAsync(ct);
        return count * BatchEvents / elapsed.TotalSeconds;
    }

    private async Task AppendOnceAsync(EventLogUnderTest log, CancellationToken ct)
    {
        var incoming = Incoming(0);
        var appended = await log.Client.AppendAsync(
            incoming.Stream, ExpectedRevision.NoStream,
            [NewEvent.Of(incoming.EventId, incoming.Fact, _ => incoming.Metadata)], ct);
        if (appended is not AppendResult.Appended)
            throw new InvalidOperationException($"An append ended with {appended}.");
    }

    private async Task<long> PassAsync(
        IConnection connection, string queue, byte[] body, long started, CancellationToken ct)
    {
        await using var publishing = await connection.CreateChannelAsync(
            new CreateChannelOptions(publisherConfirmationsEnabled: true, publisherConfirmationTrackingEnabled: true),
            ct);
        await using var consuming = await connection.CreateChannelAsync(cancellationToken: ct);
        await publishing.ExchangeDeclareAsync(Exchange, ExchangeType.Topic, durable: true, cancellationToken: ct);
        await publishing.QueueDeclareAsync(
            queue, durable: true, exclusive: false, autoDelete: false,
            new Dictionary<string, object?> { ["x-queue-type"] = "quorum", ["x-single-active-consumer"] = true },
            cancellationToken: ct);
        await publishing.QueueBindAsync(queue, Exchange, queue, cancellationToken: ct);
        await consuming.BasicQosAsync(0, 4, false, ct);
        var (sent, consumed, all) = (0L, 0L, new TaskCompletionSource());
        var consumer = new AsyncEventingBasicConsumer(consuming);
        consumer.ReceivedAsync += async (_, delivery) =>
        {
            await consuming.BasicAckAsync(delivery.DeliveryTag, multiple: false, ct);
            if (Interlocked.Increment(ref consumed) == -Interlocked.Read(ref sent)) all.TrySetResult();
        };
        await consuming.BasicConsumeAsync(queue, autoAck: false, consumer, ct);
        var properties = new BasicProperties { Persistent = true, ContentType = "application/json" };
        var published = 0L;
        for (; Stopwatch.GetElapsedTime(started) < duration; published++)
            await publishing.BasicPublishAsync(Exchange, queue, mandatory: true, properties, body, ct);
        // Negative: the number is final from now on.
        Interlocked.Exchange(ref sent, -published);
        if (Interlocked.Read(ref consumed) < published) await all.Task.WaitAsync(ct);
        return published;
    }

    private async Task InsertAsync(NpgsqlDataSource source, CancellationToken ct)
    {
        var rows = Enumerable.Range(0, BatchEvents).Select(n => Incoming(n)).ToList();
        await using var connection = await source.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using var batch = new NpgsqlBatch(connection, transaction);
        foreach (var statement in new DeviationRegister().Project(rows))
        {
            var command = new NpgsqlBatchCommand(
                statement.Text.Replace("read_models.", "bench.", StringComparison.Ordinal));
            foreach (var value in statement.Values)
                command.Parameters.Add(new NpgsqlParameter { Value = value ?? DBNull.Value });
            batch.BatchCommands.Add(command);
        }

        await batch.ExecuteNonQueryAsync(ct);
        await transaction.CommitAsync(ct);
    }

    private IncomingEvent Incoming(int n)
    {
        var id = Guid.NewGuid();
        var fact = new DeviationEvent.Received(
            $"urn:bench:line-{n % 16}", id.ToString("D"), "north", $"P-{n % 50:000}", $"L-{n}", $"S-{n}",
            $"process-{n % 8}", $"E-{n % 20}", null, $"c-{n % 25}", null, 12.7, 11.9, 12.5, "mm", 1, Severity.Minor,
            _now, null, "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08");
        var metadata = new EventMetadata(
            new EventActor("bench", ["source-system"], "*"), _now, _now, fact.PayloadHash,
            CorrelationId: id.ToString("D"), TraceId: "4bf92f3577b34da6a3ce929d0e0e4736", SpanId: "00f067aa0ba902b7");
        return new IncomingEvent(
            Families.Deviation.Stream(id), Families.Deviation, 0, LogPosition.At((ulong)n + 1), id,
            "deviation.received.v1", fact, metadata);
    }

    private static EventEnvelope Enveloped(IncomingEvent incoming) => new(
        incoming.EventId, incoming.Type, incoming.Stream, incoming.Revision, incoming.Position.Commit,
        incoming.Metadata.OccurredAt, EventCatalog.Serialize(incoming.Fact), incoming.Metadata);
}
