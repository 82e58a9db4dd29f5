using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Integration.EventStore;
using CapaEngine.Integration.Infrastructure;
using CapaEngine.Kernel;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;

namespace CapaEngine.Integration.Pipeline;

/// <summary>The same promises over the event store's protocol, with a node that dies in between.</summary>
public sealed class OverTheEventLogTests(EventLogFixture log) : IClassFixture<EventLogFixture>
{
    private const string Service = ServiceNames.Nonconformities;
    private static readonly NumberSeries Series = new(Families.Nonconformity, Families.NonconformityNumbers, "NC");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task killing_the_log_and_purging_the_broker_loses_nothing()
    {
        var broker = await TestServers.CreateVirtualHostAsync(Ct);
        var reactions = new ScriptedReactions();
        var sink = new RecordingSink();
        await using var host = await PipelineHost.StartAsync(
            log.Client, broker, builder => Add(builder, reactions, sink));
        var deviations = Enumerable.Range(0, 40).Select(_ => TestEvents.NewStream()).ToList();
        var cases = new List<Guid>();
        for (var round = 0; round < 10; round++)
        {
            foreach (var stream in deviations) await log.Client.AppendAsync(stream, 5, Ct);
            cases.Add(Guid.NewGuid());
            await log.Client.AppendAsync(Families.Nonconformity.Stream(cases[^1]), 1, Ct);
            if (round % 3 == 1) await PurgeAsync(broker);
            if (round == 5) await log.KillAndStartAsync(Ct);
        }

        await PurgeAsync(broker);
        await Eventually.HoldsAsync(() => sink.AppliedCount >= 2_010, "everything", Ct, 60);
        sink.ShouldHoldEachOnceInOrder(deviations, eventsOfEach: 50);
        await Eventually.HoldsAsync(
            () => deviations.TrueForAll(stream => reactions.DoneIn(stream).Distinct().Count() == 50),
            "all reactions", Ct, 60);
        foreach (var stream in deviations)
            reactions.DoneIn(stream).Distinct().ShouldBe(Enumerable.Range(0, 50).Select(n => (long)n));
        var numbers = host.Services.GetRequiredService<NumberReader>();
        for (var n = 0; n < cases.Count; n++)
            (await numbers.WaitAsync(cases[n], TimeSpan.FromSeconds(20), Ct))
                .ShouldBe($"NC-{DateTimeOffset.UtcNow.Year}-{n + 1:D6}");
        await log.Client.IsRelayedAsync(Service, Ct);
    }

    private static void Add(WebApplicationBuilder builder, ScriptedReactions reactions, RecordingSink sink)
    {
        builder.Services.AddSingleton(reactions);
        builder.AddRelay(Service).AddReactions<ScriptedReactions>(Service).AddNumbering(Service, Series)
            .AddFollower<RecordingSink>("rows", Families.OwnedBy(Service))
            .Services.AddSingleton(sink);
    }

    private static Task<int> PurgeAsync(string broker) =>
        TestServers.PurgeAllQueuesAsync(new Uri(broker).AbsolutePath.TrimStart('/'), Ct);
}
