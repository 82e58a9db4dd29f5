using CapaEngine.Contracts;
using CapaEngine.Kernel;
using Npgsql;

namespace CapaEngine.ReadModels;

/// <summary>
/// Notes from time to time how far each service's relay has published, so that <c>reporting.freshness</c> can say how
/// long the read models have been behind. The relays' checkpoints tell; nothing is counted twice for it.
/// </summary>
public sealed class PublishedPositions(
    IEventStore store, NpgsqlDataSource database, TimeProvider clock, ILogger<PublishedPositions> logger)
    : BackgroundService
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    // The oldest note ahead of a routing key is the begin of its lag; older lags are shown as this long.
    private static readonly TimeSpan KeptFor = TimeSpan.FromDays(1);

    private static readonly string[] Services = [.. Families.All.Select(family => family.Owner).Distinct()];

    /// <summary>Notes the positions once.</summary>
    public async Task ObserveAsync(CancellationToken ct)
    {
        var now = clock.GetUtcNow();
        foreach (var service in Services)
        {
            if (await PublishedByAsync(service, ct) is not { } position) continue;
            await using var command = database.CreateCommand("""
                with noted as (
                  insert into read_models.published_position (service, position, observed_at) values ($1, $2, $3)
                  on conflict do nothing)
                delete from read_models.published_position
                where service = $1 and observed_at < $4 and position < $2
                """);
            foreach (var value in (object[])[service, checked((long)position), now, now - KeptFor])
                command.Parameters.Add(Rows.ToParameter(value));
            await command.ExecuteNonQueryAsync(ct);
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Pause, clock);
        do
        {
            try
            {
                await ObserveAsync(stoppingToken);
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                logger.LogWarning(failure, "How far the relays have published could not be noted.");
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task<ulong?> PublishedByAsync(string service, CancellationToken ct)
    {
        await foreach (var recorded in store.ReadStreamBackwardsAsync($"relay-{service}", 1, ct))
            return EventCatalog.Deserialize(recorded.Type, recorded.Data.Span) is CheckpointEvent.Relay relay
                ? relay.Commit : null;
        return null;
    }
}
