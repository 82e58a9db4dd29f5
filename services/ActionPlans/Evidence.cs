using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using CapaEngine.ActionPlans.Domain;
using CapaEngine.Contracts;
using CapaEngine.Kernel;
using Microsoft.AspNetCore.WebUtilities;

namespace CapaEngine.ActionPlans;

/// <summary>
/// Asks the read models how often something happened. An answer counts only if it covers the log up to a position
/// that the caller names, so that nobody judges by what lags behind.
/// </summary>
public sealed partial class EvidenceClient(HttpClient http, TimeProvider clock, ILogger<EvidenceClient> logger)
{
    /// <summary>How long the read models may take to catch up.</summary>
    private static readonly TimeSpan CatchUpMax = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan CatchUpPause = TimeSpan.FromMilliseconds(200);

    private static readonly JsonSerializerOptions Json = CreateJson();

    /// <summary>The answer to a command that could not be decided for want of evidence.</summary>
    public static CommandOutcome Unavailable { get; } = new CommandOutcome.Unavailable(
        "evidence-unavailable", "The counts are not available at the moment; send the command again later.");

    /// <summary>What was counted in the period, or null where nobody can say for now.</summary>
    public async Task<Evidence?> CountAsync(
        DeviationSubject subject, Period period, ExposureUnit unit, LogPosition needed, CancellationToken ct)
    {
        var address = AddressOf(subject, period, unit, needed);
        var deadline = clock.GetUtcNow() + CatchUpMax;
        try
        {
            for (; ; )
            {
                var answer = await http.GetFromJsonAsync<Answer>(address, Json, ct)
                    ?? throw new JsonException("The answer is null.");
                if (answer.LogPosition >= needed.Commit) return answer.ToEvidence();
                if (clock.GetUtcNow() >= deadline)
                {
                    Lagging(answer.LogPosition, needed.Commit);
                    return null;
                }

                await Task.Delay(CatchUpPause, clock, ct);
            }
        }
        catch (Exception failure) when (!ct.IsCancellationRequested)
        {
            // However it failed (no connection, time-out, open circuit, refusal), the caller can only come again.
            Failed(failure);
            return null;
        }
    }

    private static string AddressOf(
        DeviationSubject subject, Period period, ExposureUnit unit, LogPosition needed) =>
        QueryHelpers.AddQueryString("internal/v1/evidence", new Dictionary<string, string?>
        {
            ["site"] = subject.Site,
            ["product"] = subject.Product,
            ["process"] = subject.Process,
            ["station"] = subject.Station,
            ["characteristic"] = subject.Characteristic,
            ["defectCode"] = subject.DefectCode,
            ["from"] = Rfc3339.Text(period.From),
            ["to"] = Rfc3339.Text(period.To),
            ["exposureUnit"] = JsonNamingPolicy.KebabCaseLower.ConvertName(unit.ToString()),
            ["position"] = needed.Commit.ToString(CultureInfo.InvariantCulture),
        }.Where(parameter => parameter.Value is not null));

    private static JsonSerializerOptions CreateJson()
    {
        var options = new JsonSerializerOptions();
        StrictJson.Apply(options);
        return options;
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The read models did not answer with evidence.")]
    private partial void Failed(Exception failure);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The read models have reached {Position}, needed is {Needed}.")]
    private partial void Lagging(ulong position, ulong needed);

    private sealed record Answer(
        DateTimeOffset From, DateTimeOffset To, long Deviations, double Exposure, int DefinitionVersion,
        ulong LogPosition, string DeviationIdsHash, ValueList<Period> MissingParts)
    {
        public Evidence ToEvidence() => new(
            new EvidenceCount(From, To, Deviations, Exposure, DefinitionVersion, LogPosition, DeviationIdsHash),
            MissingParts);
    }
}

/// <summary>Passes the caller's authorisation on: the read models decide who may see a site's counts.</summary>
public sealed class ForwardAuthorization(IHttpContextAccessor http) : DelegatingHandler
{
    protected override Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, CancellationToken cancellationToken)
    {
        if (AuthenticationHeaderValue.TryParse(http.HttpContext?.Request.Headers.Authorization, out var header))
            request.Headers.Authorization = header;
        return base.SendAsync(request, cancellationToken);
    }
}

/// <summary>Sets up the way to the read models.</summary>
public static class EvidenceSetup
{
    private static readonly TimeSpan TotalTimeout = TimeSpan.FromSeconds(15);
    private static readonly TimeSpan AttemptTimeout = TimeSpan.FromSeconds(5);

    /// <summary>Registers <see cref="EvidenceClient"/> for <c>Services:ReadModels</c>.</summary>
    public static void AddEvidence(this WebApplicationBuilder builder)
    {
        var address = builder.Configuration["Services:ReadModels"]
            ?? throw new InvalidOperationException("Services:ReadModels must name the address of the read models.");
        builder.Services.AddHttpContextAccessor();
        builder.Services.AddTransient<ForwardAuthorization>();
        builder.Services
            .AddHttpClient<EvidenceClient>(http => http.BaseAddress = new Uri(address.TrimEnd('/') + '/'))
            .AddHttpMessageHandler<ForwardAuthorization>()
            .AddStandardResilienceHandler(options =>
            {
                options.TotalRequestTimeout.Timeout = TotalTimeout;
                options.AttemptTimeout.Timeout = AttemptTimeout;
            });
    }
}
