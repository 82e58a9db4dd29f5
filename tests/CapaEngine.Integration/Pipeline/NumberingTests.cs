using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Integration.Infrastructure;
using CapaEngine.Kernel;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;

namespace CapaEngine.Integration.Pipeline;

/// <summary>Numbers have no gaps and no twins, whoever assigns them.</summary>
public sealed class NumberingTests
{
    private const string Service = ServiceNames.Nonconformities;
    private const string LeaderQueue = $"capa.numbering.{Service}";
    private static readonly NumberSeries Series = new(Families.Nonconformity, Families.NonconformityNumbers, "NC");
    private static readonly int Year = DateTimeOffset.UtcNow.Year;
    private readonly MemoryEventStore _store = new(TimeProvider.System);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task the_creating_request_gets_its_number()
    {
        await using var host = await StartAsync(await TestServers.CreateVirtualHostAsync(Ct));
        var numbers = host.Services.GetRequiredService<NumberReader>();
        for (var n = 1; n <= 3; n++)
        {
            var id = await CreateAsync();
            (await numbers.WaitAsync(id, TimeSpan.FromSeconds(10), Ct)).ShouldBe($"NC-{Year}-{n:D6}");
            // Later events of the case get none, and whoever asks again gets the same answer.
            await _store.AppendAsync(Families.Nonconformity.Stream(id), 1, Ct);
            (await numbers.WaitAsync(id, TimeSpan.Zero, Ct)).ShouldBe($"NC-{Year}-{n:D6}");
        }

        (await AssignedAsync(Year)).Count.ShouldBe(3);
        (await numbers.WaitAsync(Guid.NewGuid(), TimeSpan.FromMilliseconds(10), Ct)).ShouldBeNull();
    }

    [Fact]
    public async Task two_leaders_in_turn_leave_no_gap_and_number_nothing_twice()
    {
        var broker = await TestServers.CreateVirtualHostAsync(Ct);
        var created = new List<Guid>();
        await using var first = await StartAsync(broker);
        await using var second = await StartAsync(broker);
        for (var n = 0; n < 150; n++) created.Add(await CreateAsync());
        await Eventually.HoldsAsync(async () => (await AssignedAsync(Year)).Count > 0, "some have a number", Ct);
        var (leader, standby) = first.Leader(LeaderQueue).IsLeading ? (first, second) : (second, first);
        await leader.StopAsync();
        for (var n = 0; n < 150; n++) created.Add(await CreateAsync());
        await Eventually.HoldsAsync(async () => (await AssignedAsync(Year)).Count >= 300, "all have a number", Ct);
        standby.Leader(LeaderQueue).IsLeading.ShouldBeTrue();
        (await AssignedAsync(Year)).ShouldBe(created);
    }

    [Fact]
    public async Task two_leaders_at_once_leave_no_gap_and_number_nothing_twice()
    {
        var created = new List<Guid>();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var leaders = Enumerable.Range(0, 2).Select(_ => InsistAsync(stop.Token)).ToList();
        for (var n = 0; n < 300; n++) created.Add(await CreateAsync());
        await Eventually.HoldsAsync(async () => (await AssignedAsync(Year)).Count >= 300, "all have a number", Ct);
        await stop.CancelAsync();
        await Task.WhenAll(leaders);
        (await AssignedAsync(Year)).ShouldBe(created);
    }

    [Fact]
    public async Task a_year_begins_with_one_and_a_restart_goes_on()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var old = new List<Guid> { await CreateAsync(new DateTimeOffset(Year - 1, 12, 31, 23, 59, 59, TimeSpan.Zero)) };
        var now = new List<Guid> { await CreateAsync(new DateTimeOffset(Year, 1, 1, 0, 0, 0, TimeSpan.Zero)) };
        // The clocks of two processes may disagree about the new year.
        old.Add(await CreateAsync(new DateTimeOffset(Year - 1, 12, 31, 23, 59, 59, TimeSpan.Zero)));
        var first = InsistAsync(stop.Token);
        await Eventually.HoldsAsync(async () => (await AssignedAsync(Year - 1)).Count == 2, "the old year", Ct);
        await stop.CancelAsync();
        await first;

        using var stopAgain = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var again = InsistAsync(stopAgain.Token);
        now.Add(await CreateAsync());
        await Eventually.HoldsAsync(async () => (await AssignedAsync(Year)).Count == 2, "the new year", Ct);
        await stopAgain.CancelAsync();
        await again;
        (await AssignedAsync(Year - 1)).ShouldBe(old);
        (await AssignedAsync(Year)).ShouldBe(now);
        Series.Format(Series.Stream(Year - 1), 1).ShouldBe($"NC-{Year - 1}-000002");
    }

    // A leader whose append is refused begins again, as the election's holder would.
    private async Task InsistAsync(CancellationToken ct)
    {
        while (!ct.IsCancellationRequested)
        {
            try
            {
                await new Numbering(Service, Series, _store, TimeProvider.System).RunAsync(ct);
            }
            catch (InvalidOperationException outrun)
            {
                outrun.Message.ShouldContain("WrongExpectedRevision");
            }
            catch (OperationCanceledException) when (ct.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private async Task<Guid> CreateAsync(DateTimeOffset? recordedAt = null)
    {
        var id = Guid.NewGuid();
        var metadata = TestEvents.Metadata() with { RecordedAt = recordedAt ?? DateTimeOffset.UtcNow };
        await _store.AppendAsync(Families.Nonconformity.Stream(id), 1, Ct, metadata);
        return id;
    }

    private async Task<List<Guid>> AssignedAsync(int year)
    {
        var ids = new List<Guid>();
        await foreach (var e in _store.ReadStreamAsync(Series.Stream(year), 0, long.MaxValue, Ct))
            ids.Add(((NumberingEvent.Assigned)EventCatalog.Deserialize(e.Type, e.Data.Span)).Id);
        return ids;
    }

    private Task<PipelineHost> StartAsync(string broker) => PipelineHost.StartAsync(
        _store, broker, builder => builder.AddNumbering(Service, Series));
}
