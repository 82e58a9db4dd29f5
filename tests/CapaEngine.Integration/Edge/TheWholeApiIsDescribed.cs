using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CapaEngine.Integration.Journeys;
using Shouldly;

namespace CapaEngine.Integration.Edge;

/// <summary>The merged document of the running system names every command and wants a token for each.</summary>
[Collection(nameof(SystemFixture))]
public sealed class TheWholeApiIsDescribed(SystemFixture system)
{
    private static readonly Dictionary<string, string> Commands = new()
    {
        ["nonconformities"] =
            "accept reject plan-containment decide-containment-not-needed confirm-containment lift-containment "
            + "complete-review decide-disposition execute-disposition verify-disposition "
            + "decide-customer-notice-not-needed require-customer-notice confirm-customer-informed "
            + "require-corrective-action decide-no-corrective-action close withdraw merge reopen correct",
        ["concessions"] = "grant refuse revoke",
        ["root-cause-analyses"] =
            "answer-why choose-categories note-factor note-contrast propose-cause verify-cause refute-cause "
            + "declare-cause-unknown check-extent complete send-back approve",
        ["action-plans"] =
            "rate-risk rate-failure-mode plan-action cancel-action replace-action change-action-owner change-owner "
            + "define-effectiveness-criteria check-adverse-effects plan-deployment answer-deployment submit send-back "
            + "approve propose-criteria-change approve-criteria-change refuse-criteria-change "
            + "start-action request-extension grant-extension refuse-extension complete-action verify-action "
            + "return-action rate-residual-risk close reopen cancel",
        ["effectiveness-reviews"] = "evaluate approve",
        ["deviations"] = "dismiss",
        ["quarantine"] = "replay",
    };

    [Fact]
    public async Task every_command_is_in_the_merged_document_and_wants_a_token()
    {
        using var http = new HttpClient { BaseAddress = system.Running.Api };
        var api = (await http.GetFromJsonAsync<JsonObject>(
            "/openapi/v1.json", TestContext.Current.CancellationToken))!;
        var expected = Commands.SelectMany(resource => resource.Value.Split(' ')
                .Select(command => $"/api/v1/{resource.Key}/{{id}}/{command}"))
            .Concat(["/api/v1/nonconformities", "/api/v1/action-plans", "/api/v1/deviations", "/api/v1/production",
                "/api/v1/concessions", "/api/v1/cause-codes",
                "/api/v1/escalation-policy", "/api/v1/profiles", "/api/v1/site-profiles",
                "/api/v1/triage-policy", "/api/v1/triage-policy/what-if", "/api/v1/nonconformities/import"])
            .ToList();
        var posts = api["paths"]!.AsObject().Where(path => path.Value!["post"] is not null)
            .ToDictionary(path => path.Key, path => path.Value!["post"]!);
        expected.Except(posts.Keys).ShouldBeEmpty();
        var operations = api["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject()
            .Select(operation => (Name: $"{operation.Key} {path.Key}", operation.Value))).ToList();
        operations.Where(operation => operation.Value!["security"]?.AsArray().Count is null or 0)
            .Select(operation => operation.Name).ShouldBeEmpty();
        operations.Select(operation => (string?)operation.Value!["operationId"]).OfType<string>()
            .ShouldBeUnique();
    }
}
