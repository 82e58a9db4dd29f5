using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace CapaEngine.ReadModels.Rebuilding;

/// <summary>The version of a read model's projection that its rows come from.</summary>
public sealed record ModelVersion(string Name, int Version);

/// <summary>
/// Rebuilds what comes from another version of its projection than this program's, after a deployment for instance,
/// while the rows that are there serve. Of several processes one does, the others wait for it. Whoever is overtaken by
/// another version while it runs does not turn the rows back; its projector writes no more, and it is to be replaced.
/// </summary>
public sealed class ModelVersions(
    IReadModelTables tables, Rebuild rebuild, TimeProvider clock, ILogger<ModelVersions> logger)
    : BackgroundService, IHealthCheck
{
    private static readonly TimeSpan LookPeriod = TimeSpan.FromSeconds(10);

    private IReadOnlyDictionary<string, int>? _atStart;
    private volatile string? _pending;
    private volatile RebuildProgress? _progress;

    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(_pending is not { } pending
            ? HealthCheckResult.Healthy("as this version makes them")
            : HealthCheckResult.Degraded(_progress is { } progress
                ? FormattableString.Invariant(
                    $"rebuilding {pending}: {progress.Phase}, {progress.Events} events, {progress.EventsPerSecond:0}/s")
                : $"rows of another version: {pending}"));

    /// <summary>Looks once, and rebuilds what is due; whether nothing is due any more.</summary>
    public async Task<bool> BringUpToDateAsync(CancellationToken ct)
    {
        var stored = await tables.LoadVersionsAsync(ct);
        _atStart ??= stored;
        var others = rebuild.All.Where(model => stored.GetValueOrDefault(model.Name) != model.Version).ToList();
        var due = others.Where(
            model => stored.GetValueOrDefault(model.Name) == _atStart.GetValueOrDefault(model.Name)).ToList();
        _pending = others.Count == 0 ? null : string.Join(", ", others.Select(model => model.Name));
        if (due.Count == 0) return others.Count == 0;
        try
        {
            await rebuild.RunAsync(due, progress => _progress = progress, ct);
            _pending = null;
            return true;
        }
        catch (CopyInProgressException)
        {
            return false;
        }
        finally
        {
            _progress = null;
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(LookPeriod, clock);
        do
        {
            try
            {
                await BringUpToDateAsync(stoppingToken);
            }
            catch (Exception failure) when (!stoppingToken.IsCancellationRequested)
            {
                logger.LogWarning(failure, "Rows of another version could not be rebuilt now; it is tried again.");
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }
}
