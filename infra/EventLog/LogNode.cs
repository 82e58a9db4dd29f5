using CapaEngine.EventLog.Reading;
using CapaEngine.EventLog.Schema;
using CapaEngine.EventLog.Writing;

namespace CapaEngine.EventLog;

/// <summary>
/// Takes office as the writer, serves until something breaks, and tries again: losing the database and losing the
/// lock are the same event here. A node that is not in office serves nobody.
/// </summary>
internal sealed class LogNode(
    Databases databases, TimeProvider clock, Telemetry telemetry, IHostApplicationLifetime lifetime,
    ILogger<LogNode> log) : BackgroundService
{
    private static readonly TimeSpan CheckInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RetryFirst = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan RetryLongest = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan WaitForOffice = TimeSpan.FromMilliseconds(250);

    private readonly string _name = $"{Environment.MachineName}/{Environment.ProcessId}";
    private Term? _term;

    /// <summary>The current term; null while this node does not serve.</summary>
    public Term? Term => Volatile.Read(ref _term);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var retry = RetryFirst;
        var upgraded = false;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (!upgraded)
                {
                    EventLogSchema.Upgrade(databases.ConnectionString);
                    upgraded = true;
                }

                await using var lease = await WriterLease.TryTakeAsync(databases.Writes, _name, stoppingToken);
                if (lease is null)
                {
                    await Task.Delay(WaitForOffice, clock, stoppingToken);
                    continue;
                }

                retry = RetryFirst;
                await ServeAsync(lease, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception failure)
            {
                log.LogWarning(failure, "The event log is not served; trying again in {Delay}.", retry);
                await Task.Delay(retry, clock, stoppingToken);
                retry = retry * 2 < RetryLongest ? retry * 2 : RetryLongest;
            }
        }
    }

    private async Task ServeAsync(WriterLease lease, CancellationToken ct)
    {
        // Subscriptions never end by themselves: they must stop before the server waits for them.
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(ct, lifetime.ApplicationStopping);
        await using var tables = new WriterTables(
            await databases.Writes.OpenConnectionAsync(ct), await databases.Writes.OpenConnectionAsync(ct));
        var tail = new LogTail(await tables.LastPositionAsync(ct));
        var limits = new LimitsOfStreams(await tables.LimitsAsync(ct), await tables.AccessDefaultsAsync(ct));
        var writer = new Writer(lease.Epoch, tables, tail, limits, clock, telemetry);
        var term = new Term(lease.Epoch, writer, tail, limits, ending.Token);
        var writing = writer.RunAsync(ending.Token);
        var holding = HoldAsync(lease, ending.Token);
        try
        {
            log.LogInformation("Writing as epoch {Epoch} after position {Position}.", term.Epoch, tail.Head);
            Volatile.Write(ref _term, term);
            await await Task.WhenAny(writing, holding);
        }
        finally
        {
            Volatile.Write(ref _term, null);
            await ending.CancelAsync();
            await Task.WhenAll(writing, holding).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task HoldAsync(WriterLease lease, CancellationToken ct)
    {
        using var timer = new PeriodicTimer(CheckInterval, clock);
        while (await timer.WaitForNextTickAsync(ct))
        {
            await lease.CheckAsync(ct);
        }
    }
}
