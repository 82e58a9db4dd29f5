using System.Net;
using CapaEngine.Contracts;
using CapaEngine.Integration.Infrastructure;
using Shouldly;

namespace CapaEngine.Integration.Journeys;

/// <summary>Many people change one case at the same moment: each change is there once, and nobody starves.</summary>
[Collection(nameof(SystemFixture))]
public sealed class ManyWritersOfOneCase(SystemFixture system) : IDisposable
{
    private const int Writers = 64;
    private const int RoundsMax = 20;

    private readonly RunningSystem running = system.Running;
    private readonly Cast cast = new(system.Running);
    private readonly ApiClient quinn = new(system.Running.Api, "quinn", "quality-engineer");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task all_get_through_and_each_change_is_there_once()
    {
        var path = await cast.ReportAsync(cast.Quinn, "Bore too wide");
        var rounds = await Task.WhenAll(Enumerable.Range(0, Writers).Select(n => CorrectAsync(path, n)));

        // Who lost several races is told to try again, and does not lose for ever: others have gone home meanwhile.
        rounds.Max().ShouldBeLessThan(RoundsMax);
        var id = Guid.Parse(path.Split('/')[1]);
        var titles = new List<string?>();
        await foreach (var recorded in running.Log.ReadStreamAsync(
            Families.Nonconformity.Stream(id), 0, long.MaxValue, Ct))
        {
            if (EventCatalog.Deserialize(recorded.Type, recorded.Data.Span) is NonconformityEvent.Corrected corrected)
                titles.Add(corrected.Title);
        }

        titles.ShouldBe(Enumerable.Range(0, Writers).Select(n => (string?)$"Title {n}"), ignoreOrder: true);
        await cast.SeenAsync(path);
    }

    public void Dispose()
    {
        quinn.Dispose();
        cast.Dispose();
    }

    private async Task<int> CorrectAsync(string path, int n)
    {
        var key = Guid.NewGuid().ToString();
        for (var round = 1; ; round++)
        {
            var answered = await quinn.TryPostAsync(
                $"{path}/correct", new { reason = "A better one.", title = $"Title {n}" }, null, null, Ct, key);
            if (answered.Status == HttpStatusCode.OK) return round;
            (answered.Status, answered.Code).ShouldBe((HttpStatusCode.ServiceUnavailable, "too-busy"));
        }
    }
}
