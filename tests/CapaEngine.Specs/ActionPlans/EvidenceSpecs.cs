using System.Net;
using System.Net.Http.Json;
using CapaEngine.ActionPlans;
using CapaEngine.ActionPlans.Domain;
using CapaEngine.Contracts;
using CapaEngine.Kernel;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;
using static CapaEngine.Specs.ActionPlans.Facts;

namespace CapaEngine.Specs.ActionPlans;

/// <summary>Counts come before the decision, from read models that have caught up, or nothing is decided.</summary>
public sealed class EvidenceSpecs : IDisposable
{
    private static readonly Guid Capa = NameBasedId.From("capa");
    private static readonly Guid SecondCapa = NameBasedId.From("second capa");
    private static readonly Guid ReviewId = EffectivenessReview.IdFor(Capa, 1);
    private static readonly EffectivenessEvent.CriteriaLocked Locked =
        new(Capa, 1, "berlin", Criteria, ["oscar"], "amira");
    private static readonly EffectivenessEvent.WindowOpened Window = new(Monitored.From, Monitored.To);

    private static readonly ActionPlanCommand.DefineEffectivenessCriteria Define = new(
        Criteria.BaselineFrom, Criteria.BaselineTo, 0.5, 0.05, 90, ExposureUnit.Days);

    private readonly StandInReadModels readModels = new();
    private readonly MemoryEventStore store = new(TimeProvider.System);
    private readonly HttpClient http;

    public EvidenceSpecs() => http = new HttpClient(readModels) { BaseAddress = new Uri("http://read-models/") };

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task criteria_are_defined_with_the_count_of_the_subject_in_the_baseline()
    {
        await WriteAsync(Families.ActionPlan.Stream(Capa), Planning);
        (await DefineAsync(Define)).ShouldBeOfType<CommandOutcome.Done>().EventCount.ShouldBe(1);
        var query = readModels.Queries.ShouldHaveSingleItem();
        query["site"].ToString().ShouldBe("berlin");
        query["product"].ToString().ShouldBe("bracket");
        query["process"].ToString().ShouldBe("milling");
        query["characteristic"].ToString().ShouldBe("bore");
        query.ShouldNotContainKey("station");
        query.ShouldNotContainKey("defectCode");
        query["from"].ToString().ShouldBe("2025-08-14T08:00:00Z");
        query["to"].ToString().ShouldBe("2026-02-10T08:00:00Z");
        query["exposureUnit"].ToString().ShouldBe("days");
        (await LastAsync(Families.ActionPlan.Stream(Capa)))
            .ShouldBeOfType<ActionPlanEvent.EffectivenessCriteriaDefined>().Baseline.Deviations.ShouldBe(12);
    }

    [Theory]
    [InlineData(HttpStatusCode.ServiceUnavailable)]
    [InlineData(HttpStatusCode.Forbidden)]
    [InlineData(null)]
    public async Task without_read_models_nothing_is_decided(HttpStatusCode? status)
    {
        await WriteAsync(Families.ActionPlan.Stream(Capa), Planning);
        readModels.Answer = _ => status is { } code
            ? new HttpResponseMessage(code)
            : throw new HttpRequestException("No connection.");
        (await DefineAsync(Define)).ShouldBeOfType<CommandOutcome.Unavailable>().Code.ShouldBe("evidence-unavailable");
        (await LastAsync(Families.ActionPlan.Stream(Capa))).ShouldBe(Caused);
    }

    [Fact]
    public async Task read_models_that_lag_behind_are_waited_for()
    {
        await WriteAsync(Families.ActionPlan.Stream(SecondCapa), Planning);
        await WriteAsync(Families.ActionPlan.Stream(Capa), Planning);
        readModels.Answer = asked => Counted(12, asked < 2 ? 0UL : ulong.MaxValue);
        (await DefineAsync(Define)).ShouldBeOfType<CommandOutcome.Done>();
        readModels.Queries.Count.ShouldBe(2);
    }

    [Fact]
    public async Task read_models_that_stay_behind_are_no_evidence()
    {
        await WriteAsync(Families.ActionPlan.Stream(SecondCapa), Planning);
        await WriteAsync(Families.ActionPlan.Stream(Capa), Planning);
        readModels.Answer = _ => Counted(12, 0);
        (await DefineAsync(Define)).ShouldBeOfType<CommandOutcome.Unavailable>();
        readModels.Queries.Count.ShouldBeGreaterThan(1);
    }

    [Fact]
    public async Task nothing_is_looked_up_where_the_rules_refuse_anyway()
    {
        await WriteAsync(Families.ActionPlan.Stream(Capa), Implementing);
        (await DefineAsync(Define)).ShouldBeOfType<CommandOutcome.Rejected>().Code.ShouldBe("wrong-stage");
        (await DefineAsync(Define, NameBasedId.From("none"))).ShouldBeOfType<CommandOutcome.NotFound>();
        readModels.Queries.ShouldBeEmpty();
    }

    [Fact]
    public async Task a_part_without_exposure_refuses_the_evaluation()
    {
        await WriteAsync(Families.Effectiveness.Stream(ReviewId), [Locked, Window]);
        readModels.Answer = asked => Counted(1, ulong.MaxValue, asked == 2 ? new Period(Now, Now.AddDays(3)) : null);
        var refused = (await EvaluateAsync(Monitored.To)).ShouldBeOfType<CommandOutcome.Rejected>();
        refused.Code.ShouldBe("exposure-missing");
        refused.Reason.ShouldContain("window");
    }

    [Fact]
    public async Task both_periods_are_counted_for_an_evaluation()
    {
        await WriteAsync(Families.Effectiveness.Stream(ReviewId), [Locked, Window]);
        readModels.Answer = asked => Counted(asked == 1 ? 12 : 1, ulong.MaxValue);
        (await EvaluateAsync(Monitored.To)).ShouldBeOfType<CommandOutcome.Done>();
        readModels.Queries.Select(query => query["to"].ToString())
            .ShouldBe(["2026-02-10T08:00:00Z", "2026-05-31T08:00:00Z"]);
        (await LastAsync(Families.Effectiveness.Stream(ReviewId))).ShouldBeOfType<EffectivenessEvent.Evaluated>()
            .Window.Deviations.ShouldBe(1);
    }

    [Fact]
    public async Task an_early_evaluation_counts_up_to_now()
    {
        await WriteAsync(Families.Effectiveness.Stream(ReviewId),
            [Locked, Window, new EffectivenessEvent.RecurrenceDetected(FirstCase)]);
        (await EvaluateAsync(Now.AddDays(20))).ShouldBeOfType<CommandOutcome.Done>();
        readModels.Queries[1]["to"].ToString().ShouldBe("2026-03-22T08:00:00Z");
    }

    [Fact]
    public async Task the_caller_is_passed_on()
    {
        var context = new DefaultHttpContext();
        context.Request.Headers.Authorization = "Bearer token-of-the-caller";
        using var forward = new ForwardAuthorization(new HttpContextAccessor { HttpContext = context })
        {
            InnerHandler = readModels,
        };
        using var client = new HttpMessageInvoker(forward);
        using var request = new HttpRequestMessage(HttpMethod.Get, "http://read-models/");
        using var answer = await client.SendAsync(request, Ct);
        readModels.LastAuthorization.ShouldBe("Bearer token-of-the-caller");
    }

    public void Dispose()
    {
        http.Dispose();
        readModels.Dispose();
    }

    private async Task<CommandOutcome> DefineAsync(ActionPlanCommand command, Guid? id = null)
    {
        var clock = new RunningClock(Now);
        var handler = new ActionPlanHandler(
            new(store, ActionPlan.Decider, clock, new FixedProfiles()), Client(clock), store, RiskSpecs.Tables);
        return await handler.Handle(new HandleActionPlan(id ?? Capa, command, Context("ada")), Ct);
    }

    private async Task<CommandOutcome> EvaluateAsync(DateTimeOffset at)
    {
        var clock = new FixedClock(at);
        var handler = new EffectivenessReviewHandler(
            new(store, EffectivenessReview.Decider, clock, new FixedProfiles()), Client(clock), store, clock);
        var message = new HandleEffectivenessReview(ReviewId, new EffectivenessCommand.Evaluate(), Context("paul"));
        return await handler.Handle(message, Ct);
    }

    private EvidenceClient Client(TimeProvider clock) =>
        new(http, clock, NullLogger<EvidenceClient>.Instance);

    private static CommandContext Context(string person) => new(new Actor(person, person, [], "*", []), "command-1");

    private async Task WriteAsync(string stream, IEnumerable<object> facts)
    {
        var metadata = EventCatalog.Serialize(new EventMetadata(new EventActor("ada", [], "*"), Now, Now, "hash"));
        await store.AppendAsync(
            stream, ExpectedRevision.NoStream,
            [.. facts.Select(fact => new NewEvent(
                Guid.NewGuid(), EventCatalog.NameOf(fact), EventCatalog.Serialize(fact), metadata))],
            Ct);
    }

    private async Task<object?> LastAsync(string stream)
    {
        await foreach (var last in store.ReadStreamBackwardsAsync(stream, 1, Ct))
            return EventCatalog.Deserialize(last.Type, last.Data.Span);
        return null;
    }

    private static HttpResponseMessage Counted(long deviations, ulong position, Period? missing = null) => new()
    {
        Content = JsonContent.Create(new
        {
            from = Criteria.BaselineFrom, to = Criteria.BaselineTo, deviations, exposure = 180.0,
            definitionVersion = 1, logPosition = position, deviationIdsHash = "b",
            missingParts = missing is null ? [] : new[] { new { from = missing.From, to = missing.To } },
        }),
    };

    /// <summary>Answers in place of the read models and remembers what it was asked.</summary>
    private sealed class StandInReadModels : HttpMessageHandler
    {
        public Func<int, HttpResponseMessage> Answer { get; set; } = _ => Counted(12, ulong.MaxValue);

        public List<Dictionary<string, Microsoft.Extensions.Primitives.StringValues>> Queries { get; } = [];

        public string? LastAuthorization { get; private set; }

        protected override Task<HttpResponseMessage> SendAsync(
            HttpRequestMessage request, CancellationToken cancellationToken)
        {
            LastAuthorization = request.Headers.Authorization?.ToString();
            Queries.Add(QueryHelpers.ParseQuery(request.RequestUri!.Query));
            return Task.FromResult(Answer(Queries.Count));
        }
    }

    /// <summary>A clock on which two seconds pass whenever somebody looks, so that patience ends soon.</summary>
    private sealed class RunningClock(DateTimeOffset start) : TimeProvider
    {
        private int looks;

        public override DateTimeOffset GetUtcNow() => start.AddSeconds(2 * looks++);
    }
}
