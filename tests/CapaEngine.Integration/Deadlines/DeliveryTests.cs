using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using CapaEngine.Contracts;
using CapaEngine.Specs;
using Shouldly;

namespace CapaEngine.Integration.Deadlines;

/// <summary>What was raised reaches people by mail and systems by webhook, and what does not is seen.</summary>
public sealed class DeliveryTests
{
    private static readonly Guid Action = NameBasedId.From("delivery action");
    private static readonly DateOnly DueOn = new(2026, 4, 1);
    private static readonly DateTimeOffset DueAt = new(2026, 4, 2, 0, 0, 0, TimeSpan.Zero);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task what_is_due_now_is_mailed_at_once_and_once()
    {
        await using var stand = await DeliveryStand.CreateAsync();
        await stand.Deadlines.PlanAsync(Action, DueOn);
        foreach (var minutes in (int[])[0, 1, 30]) await stand.RunAsync(DueAt.AddMinutes(minutes));

        var mail = stand.Mail.Mails.ShouldHaveSingleItem();
        (mail.From, mail.To).ShouldBe(("capa@example.com", "oscar@example.com"));
        mail.Header("Subject").ShouldBe("Action overdue by 1 h: Replace the rail");
        mail.Data.ShouldContain($"https://capa.example.com/api/v1/action-plans/{DeadlineStand.CapaId:D}");
        mail.Header("Auto-Submitted").ShouldBe("auto-generated");
        (await stand.TellAsync()).ShouldBe(["oscar: composed, delivered 1"]);
    }

    [Fact]
    public async Task a_mail_that_was_refused_for_now_is_sent_again_later_under_the_same_id()
    {
        await using var stand = await DeliveryStand.CreateAsync();
        await stand.Deadlines.PlanAsync(Action, DueOn);
        stand.Mail.RefuseNext("451 try again");
        await stand.RunAsync(DueAt);
        await stand.RunAsync(DueAt.AddSeconds(59));
        stand.Mail.Mails.ShouldBeEmpty("A minute passes before the second attempt.");
        (await stand.RowsAsync()).ShouldBe(["mail oscar failing 1 smtp-451"]);
        await stand.RunAsync(DueAt.AddMinutes(1));
        var id = (await stand.Deadlines.NotificationsAsync())[0].Id;
        stand.Mail.Mails.ShouldHaveSingleItem().Header("Message-Id").ShouldBe($"<{id:D}@example.com>");
        (await stand.TellAsync()).ShouldBe(["oscar: composed, failed 1 smtp-451, delivered 2"]);
        (await stand.RowsAsync()).ShouldBe(["mail oscar delivered 2"]);
    }

    [Fact]
    public async Task a_mail_that_will_never_be_taken_is_given_up_at_once()
    {
        await using var stand = await DeliveryStand.CreateAsync();
        await stand.Deadlines.PlanAsync(Action, DueOn);
        stand.Mail.RefuseNext("550 no such user oscar@example.com");
        await stand.RunAsync(DueAt);
        await stand.RunAsync(DueAt.AddHours(5));
        stand.Mail.Mails.ShouldBeEmpty();
        (await stand.TellAsync()).ShouldBe(["oscar: composed, failed 1 smtp-550, given up 1 smtp-550"]);
    }

    [Fact]
    public async Task somebody_without_an_address_is_seen_and_reached_once_there_is_one()
    {
        await using var stand = await DeliveryStand.CreateAsync();
        stand.Know([]);
        await stand.Deadlines.PlanAsync(Action, DueOn);
        await stand.RunAsync(DueAt);
        (await stand.RowsAsync()).ShouldBe(["mail oscar failing 1 no-contact"]);
        stand.Know(new() { ["oscar"] = "oscar@example.com" });
        await stand.RunAsync(DueAt.AddMinutes(2));
        stand.Mail.Mails.ShouldHaveSingleItem().To.ShouldBe("oscar@example.com");
    }

    [Fact]
    public async Task attempts_are_bounded_and_the_end_is_seen()
    {
        await using var stand = await DeliveryStand.CreateAsync();
        stand.Know([]);
        await stand.Deadlines.PlanAsync(Action, DueOn);
        for (var minutes = 0; minutes <= 400; minutes += 20) await stand.RunAsync(DueAt.AddMinutes(minutes));
        (await stand.RowsAsync()).ShouldBe(["mail oscar given-up 6 no-contact"]);
        (await stand.TellAsync()).Single().ShouldEndWith("failed 6 no-contact, given up 6 no-contact");
    }

    [Fact]
    public async Task a_power_cut_at_any_step_loses_no_mail_and_repeats_it_under_its_id_at_most()
    {
        foreach (var (append, isWritten, mails) in ((int, bool, int)[])
            [(1, false, 1), (1, true, 1), (2, false, 2), (2, true, 1)])
        {
            await using var stand = await DeliveryStand.CreateAsync();
            await stand.Deadlines.PlanAsync(Action, DueOn);
            stand.HasMail = false;
            await stand.RunAsync(DueAt);
            stand.HasMail = true;
            stand.Deadlines.Store.CutAt(append, isWritten);
            await Should.ThrowAsync<PowerCutException>(stand.Work().TickAsync(Ct));
            await stand.Deadlines.ProjectAsync();
            await stand.RunAsync(DueAt.AddMinutes(1));
            await stand.RunAsync(DueAt.AddMinutes(2));
            var reason = $"cut at append {append}, written: {isWritten}";
            stand.Mail.Mails.Count.ShouldBe(mails, reason);
            stand.Mail.Mails.Select(mail => mail.Header("Message-Id")).Distinct().Count().ShouldBe(1, reason);
            (await stand.TellAsync()).ShouldBe(["oscar: composed, delivered 1"], reason);
        }
    }

    [Fact]
    public async Task the_digest_comes_once_a_day_with_all_that_is_still_open_and_not_before_its_hour()
    {
        await using var stand = await DeliveryStand.CreateAsync();
        var second = NameBasedId.From("another delivery action");
        await stand.Deadlines.PlanAsync(Action, DueOn);
        await stand.Deadlines.HappenAsync(Families.ActionPlan, DeadlineStand.CapaId, new ActionPlanEvent.ActionPlanned(
            second, ActionKind.Corrective, "Teach the crew", "As said.", "oscar", DueOn, []));
        var morning = DueAt.AddDays(-2).AddHours(7);
        await stand.RunAsync(morning.AddMinutes(-1));
        stand.Mail.Mails.ShouldBeEmpty();
        await stand.RunAsync(morning);
        await stand.RunAsync(morning.AddHours(5));
        var first = stand.Mail.Mails.ShouldHaveSingleItem();
        first.Header("Subject").ShouldBe("2 deadlines for you on 2026-03-31");
        first.Data.ShouldContain("Replace the rail");
        first.Data.ShouldContain("Teach the crew");

        await stand.Deadlines.HappenAsync(Families.ActionPlan, DeadlineStand.CapaId,
            new ActionPlanEvent.ActionCompleted(second, "oscar", "List 3"));
        await stand.RunAsync(morning.AddDays(1));
        var next = stand.Mail.Mails.Last();
        next.Header("Subject").ShouldBe("1 deadline for you on 2026-04-01");
        next.Data.ShouldNotContain("Teach the crew");
        stand.Mail.Mails.Count.ShouldBe(2);
    }

    [Fact]
    public async Task nobody_gets_a_digest_of_nothing()
    {
        await using var stand = await DeliveryStand.CreateAsync();
        await stand.Deadlines.PlanAsync(Action, DueOn);
        await stand.Deadlines.HappenAsync(Families.ActionPlan, DeadlineStand.CapaId,
            new ActionPlanEvent.ActionCompleted(Action, "oscar", "Order 3"));
        await stand.RunAsync(DueAt.AddDays(-2).AddHours(9));
        (await stand.TellAsync()).ShouldNotContain(told => told.StartsWith("oscar"));
        stand.Mail.Mails.ShouldBeEmpty();
    }

    [Fact]
    public async Task what_was_done_before_it_could_be_sent_is_dropped()
    {
        await using var stand = await DeliveryStand.CreateAsync();
        await stand.Deadlines.PlanAsync(Action, DueOn);
        stand.Mail.RefuseNext("451 try again");
        await stand.RunAsync(DueAt);
        await stand.Deadlines.RecordAsync(Families.ActionPlan, DeadlineStand.CapaId,
            new ActionPlanEvent.ActionCompleted(Action, "oscar", "Order 3"));
        stand.Deadlines.Clock.Now = DueAt.AddMinutes(5);
        await stand.Work().TickAsync(Ct);
        stand.Mail.Mails.ShouldBeEmpty("The rows do not know yet that it was done, but the log does.");
        await stand.RunAsync(DueAt.AddMinutes(6));
        stand.Mail.Mails.ShouldBeEmpty();
        (await stand.TellAsync()).ShouldBe(["oscar: composed, failed 1 smtp-451, dropped nothing-open"]);
    }

    [Fact]
    public async Task read_models_built_anew_send_nothing_again()
    {
        await using var stand = await DeliveryStand.CreateAsync();
        stand.HasWebhook = true;
        await stand.Deadlines.PlanAsync(Action, DueOn);
        await stand.RunAsync(DueAt.AddHours(8));
        (stand.Mail.Mails.Count, stand.Webhooks.Requests.Count).ShouldBe((2, 1), "At once, digest, webhook.");
        await stand.Deadlines.LoseReadModelsAsync();
        await stand.Work().TickAsync(Ct);
        await stand.RunAsync(DueAt.AddHours(9));
        (stand.Mail.Mails.Count, stand.Webhooks.Requests.Count).ShouldBe((2, 1));
    }

    [Fact]
    public async Task a_webhook_is_signed_and_tells_the_escalation()
    {
        await using var stand = await DeliveryStand.CreateAsync();
        (stand.HasMail, stand.HasWebhook) = (false, true);
        await stand.Deadlines.PlanAsync(Action, DueOn);
        await stand.RunAsync(DueAt);
        var request = stand.Webhooks.Requests.ShouldHaveSingleItem();
        request.Timestamp.ShouldBe("1775088000");
        request.Id.ShouldBe((await stand.Deadlines.NotificationsAsync())[0].Id.ToString("D"));
        var key = Convert.FromBase64String(DeliveryStand.Secret["whsec_".Length..]);
        var signed = Encoding.UTF8.GetBytes($"{request.Id}.{request.Timestamp}.{request.Body}");
        request.Signature.ShouldBe($"v1,{Convert.ToBase64String(HMACSHA256.HashData(key, signed))}");
        var body = JsonNode.Parse(request.Body)!;
        ((string?)body["type"]).ShouldBe("escalation.raised");
        ((string?)body["data"]!["kind"]).ShouldBe("action-due");
        ((int?)body["data"]!["level"]).ShouldBe(2);
        ((string?)body["data"]!["subjectId"]).ShouldBe(Action.ToString("D"));
    }

    [Fact]
    public async Task a_webhook_is_repeated_after_an_error_and_follows_no_redirect()
    {
        await using var stand = await DeliveryStand.CreateAsync();
        (stand.HasMail, stand.HasWebhook) = (false, true);
        await stand.Deadlines.PlanAsync(Action, DueOn);
        stand.Webhooks.AnswerNext(HttpStatusCode.Found);
        stand.Webhooks.AnswerNext(HttpStatusCode.InternalServerError);
        foreach (var minutes in (int[])[0, 1, 5, 6]) await stand.RunAsync(DueAt.AddMinutes(minutes));
        (await stand.TellAsync()).ShouldBe(["erp: composed, failed 1 http-302, failed 2 http-500, delivered 3"]);
        stand.Webhooks.Requests.Select(request => request.Path).Distinct().ShouldBe(["/hook"]);
        stand.Webhooks.Requests.Select(request => request.Id).Distinct().Count().ShouldBe(1);
    }

    [Fact]
    public async Task a_webhook_that_is_gone_is_given_up()
    {
        await using var stand = await DeliveryStand.CreateAsync();
        (stand.HasMail, stand.HasWebhook) = (false, true);
        await stand.Deadlines.PlanAsync(Action, DueOn);
        stand.Webhooks.AnswerNext(HttpStatusCode.Gone);
        foreach (var minutes in (int[])[0, 10]) await stand.RunAsync(DueAt.AddMinutes(minutes));
        (await stand.TellAsync()).ShouldBe(["erp: composed, failed 1 http-410, given up 1 http-410"]);
    }

    [Fact]
    public async Task a_receiver_that_is_down_is_asked_once_a_round_and_holds_up_no_mail()
    {
        await using var stand = await DeliveryStand.CreateAsync();
        stand.HasWebhook = true;
        foreach (var n in Enumerable.Range(0, 5))
            await stand.Deadlines.HappenAsync(
                Families.ActionPlan, NameBasedId.From($"plan {n}"),
                new ActionPlanEvent.Opened("plant-1", "Plan", "quinn", null, "It recurs.", null, null, false),
                new ActionPlanEvent.ActionPlanned(
                    NameBasedId.From($"action {n}"), ActionKind.Corrective, "Act", "As said.", "oscar", DueOn, []));
        await stand.Webhooks.StopAsync(Ct);
        await stand.RunAsync(DueAt);
        stand.Mail.Mails.Count.ShouldBe(5);
        (await stand.RowsAsync()).Count(row => row == "webhook erp failing 1 http-unreachable").ShouldBe(1);
        (await stand.RowsAsync()).Count(row => row == "webhook erp composed 0").ShouldBe(4);
    }

    [Fact]
    public async Task without_anything_to_send_with_escalations_are_recorded_all_the_same()
    {
        await using var stand = await DeliveryStand.CreateAsync();
        stand.HasMail = false;
        await stand.Deadlines.PlanAsync(Action, DueOn);
        await stand.RunAsync(DueAt);
        (await stand.Deadlines.RaisedAsync()).Count.ShouldBe(2);
        (await stand.TellAsync()).ShouldBeEmpty();
    }
}
