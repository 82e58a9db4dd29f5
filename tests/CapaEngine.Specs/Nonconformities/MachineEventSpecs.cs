using System.Text.Json;
using System.Text.Json.Nodes;
using CapaEngine.Contracts;
using CapaEngine.Kernel;
using CapaEngine.Nonconformities.Intake;
using Shouldly;

namespace CapaEngine.Specs.Nonconformities;

/// <summary>What a machine sends is understood as a whole, or refused with the member and the rule.</summary>
public sealed class MachineEventSpecs
{
    private static readonly DateTimeOffset Now = new(2026, 3, 1, 8, 0, 0, TimeSpan.Zero);
    private static readonly string[] Types = [MachineEvent.DeviationType, MachineEvent.ProductionType];

    [Fact] public void a_deviation_is_understood()
    {
        var machine = Read(Deviation());
        var fact = machine.Fact.ShouldBeOfType<DeviationEvent.Received>();
        (fact.Source, fact.Site, fact.Severity, fact.Measured).ShouldBe(("urn:mes:1", "north", Severity.Major, 12.7));
        machine.Stream.ShouldBe($"deviation-{NameBasedId.From("deviation\nurn:mes:1\ne1"):D}");
        machine.OccurredAt.ShouldBe(fact.DetectedAt);
    }

    [Fact] public void production_is_understood_even_where_more_was_inspected_than_produced()
    {
        var fact = Read(Production(("produced", 10), ("inspected", 12)))
            .Fact.ShouldBeOfType<ProductionEvent.Recorded>();
        (fact.Produced, fact.Inspected, fact.PeriodTo).ShouldBe((10, 12, Now));
    }

    [Fact] public void the_spelling_of_a_payload_is_not_part_of_it()
    {
        var reordered = new JsonObject(Deviation()["data"]!.AsObject().Reverse()
            .Select(member => KeyValuePair.Create(member.Key, member.Value?.DeepClone())));
        var other = Deviation();
        other["data"] = reordered;
        other["time"] = "2026-03-01T07:00:00Z";
        Read(other).PayloadHash.ShouldBe(Read(Deviation()).PayloadHash);
    }

    [Fact] public void another_subject_is_another_payload()
    {
        var other = Deviation();
        other["subject"] = "line-2";
        Read(other).PayloadHash.ShouldNotBe(Read(Deviation()).PayloadHash);
    }

    [Theory]
    [InlineData("product", null, "product: is required")]
    [InlineData("product", " ", "product: must not be blank")]
    [InlineData("product", "a\nb", "product: must not contain control characters")]
    [InlineData("product", 7, "product: must be a string")]
    [InlineData("characteristic", null, "characteristic: is required where no defectCode is given")]
    [InlineData("measured", "12", "measured: must be a number")]
    [InlineData("lowerLimit", 13, "lowerLimit: must not exceed upperLimit")]
    [InlineData("quantity", -1, "quantity: must not be negative")]
    [InlineData("severity", "huge", "severity: must be one of minor, major, critical")]
    [InlineData("detectedAt", null, "detectedAt: is required")]
    [InlineData("detectedAt", "2026-03-01T08:05:01Z", "detectedAt: must not lie in the future")]
    [InlineData("detectedAt", "1969-12-31T23:59:59Z", "detectedAt: must not lie before 1970")]
    [InlineData("detectedAt", "2026-03-01T07:00:00",
        "detectedAt: must be an ISO 8601 time with an offset, such as 2026-11-23T08:00:00Z")]
    [InlineData("messured", 12.7, "messured: is not a member of this event type")]
    public void a_member_that_breaks_a_rule_is_named(string member, object? value, string detail) =>
        Refusal(Deviation((member, value))).ShouldBe(("invalid-data", detail));

    [Theory]
    [InlineData("rejected", 13, "rejected: must not exceed inspected")]
    [InlineData("produced", -1, "produced: must not be negative")]
    [InlineData("period", 3, "period: must be an object")]
    public void production_that_breaks_a_rule_is_refused(string member, object value, string detail) =>
        Refusal(Production(("inspected", 12), (member, value))).Detail.ShouldBe(detail);

    [Fact] public void a_period_has_a_length()
    {
        var empty = Production();
        empty["data"]!["period"]!["from"] = "2026-03-01T08:00:00Z";
        Refusal(empty).ShouldBe(("invalid-data", "period.from: must lie before period.to"));
    }

    [Theory]
    [InlineData("specversion", "0.3", "not-a-cloud-event")]
    [InlineData("source", "", "not-a-cloud-event")]
    [InlineData("id", "a\nb", "not-a-cloud-event")]
    [InlineData("type", "capa.deviation.v9", "unknown-type")]
    [InlineData("datacontenttype", "text/xml", "not-a-cloud-event")]
    public void an_envelope_that_is_no_cloud_event_is_refused(string attribute, string value, string reason)
    {
        var json = Deviation();
        json[attribute] = value;
        Refusal(json).Reason.ShouldBe(reason);
    }

    [Fact] public void a_machine_of_one_site_need_not_name_it()
    {
        var fact = Read(Deviation(("site", null)), new Sender(At("north"), null, false)).Fact;
        fact.ShouldBeOfType<DeviationEvent.Received>().Site.ShouldBe("north");
    }

    [Fact] public void a_machine_of_one_site_cannot_report_for_another() =>
        Refusal(Deviation(), new Sender(At("south"), null, false)).Reason.ShouldBe("site-not-yours");

    [Fact] public void a_machine_of_all_sites_names_the_site() =>
        Refusal(Deviation(("site", null))).ShouldBe(("invalid-data", "site: is required"));

    [Fact] public void a_machine_of_one_source_cannot_speak_for_another() =>
        Refusal(Deviation(), new Sender(At("*"), "urn:mes:2", false)).Reason.ShouldBe("source-not-yours");

    private static Actor At(string site) => new("mes-1", "MES", [Roles.SourceSystem], site, []);

    private static MachineEvent Read(JsonObject json, Sender? sender = null)
    {
        var body = JsonElement.Parse(json.ToJsonString());
        var envelope = new Envelope(
            (string?)json["specversion"], (string?)json["source"], (string?)json["id"], (string?)json["type"],
            (string?)json["subject"], (string?)json["datacontenttype"], body.GetProperty("data"), default);
        return MachineEvent.Read(envelope, sender ?? new Sender(At("*"), null, false), Types, Now);
    }

    private static (string Reason, string Detail) Refusal(JsonObject json, Sender? sender = null)
    {
        var why = Should.Throw<NotUnderstoodException>(() => Read(json, sender));
        return (why.Reason, why.Message);
    }

    private static JsonObject Deviation(params (string Member, object? Value)[] changes) => Event(
        MachineEvent.DeviationType,
        new JsonObject
        {
            ["site"] = "north", ["product"] = "housing", ["process"] = "milling", ["station"] = "m-1",
            ["characteristic"] = "width", ["measured"] = 12.7, ["lowerLimit"] = 11.9, ["upperLimit"] = 12.5,
            ["unit"] = "mm", ["severity"] = "major", ["detectedAt"] = "2026-03-01T08:05:00Z",
        },
        changes);

    private static JsonObject Production(params (string Member, object? Value)[] changes) => Event(
        MachineEvent.ProductionType,
        new JsonObject
        {
            ["site"] = "north", ["product"] = "housing", ["process"] = "milling",
            ["period"] = new JsonObject { ["from"] = "2026-03-01T07:00:00Z", ["to"] = "2026-03-01T08:00:00Z" },
            ["produced"] = 10, ["inspected"] = 10, ["rejected"] = 0,
        },
        changes);

    private static JsonObject Event(string type, JsonObject data, (string Member, object? Value)[] changes)
    {
        foreach (var (member, value) in changes)
        {
            data.Remove(member);
            if (value is not null) data[member] = JsonSerializer.SerializeToNode(value);
        }

        return new JsonObject
        {
            ["specversion"] = "1.0", ["type"] = type, ["source"] = "urn:mes:1", ["id"] = "e1", ["data"] = data,
        };
    }
}
