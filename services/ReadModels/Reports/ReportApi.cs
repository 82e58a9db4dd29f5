using System.Globalization;
using System.Security.Claims;
using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using CapaEngine.ReadModels.Reports.Pdf;
using Microsoft.Extensions.Options;

namespace CapaEngine.ReadModels.Reports;

/// <summary>Reports over HTTP. Who may read the dossier of a case may read its reports.</summary>
public static class ReportApi
{
    /// <summary>What the reports need.</summary>
    public static IServiceCollection AddReports(this IServiceCollection services)
    {
        services.AddOptions<ReportSettings>().BindConfiguration(ReportSettings.Section).ValidateDataAnnotations()
            .ValidateOnStart();
        return services.AddSingleton<ReportQueries>().AddSingleton<HtmlReports>().AddSingleton<ReportFonts>()
            .AddSingleton<PdfReports>().AddSingleton<ReportPrinter>();
    }

    /// <summary>The routes.</summary>
    public static void MapReports(this WebApplication app)
    {
        var api = app.MapGroup("/api/v1/reports").RefuseUnknownParameters();
        api.MapGet("/nonconformity/{id:guid}", GetNonconformityAsync).GivesReport<NonconformityReport>();
        api.MapGet("/8d/{capaId:guid}", GetEightDAsync).GivesReport<EightDReport>();
        api.MapGet("/8d", FindEightDAsync).GivesReport<EightDReport>();
        api.MapGet("/supplier-corrective-action-request/{nonconformityId:guid}", GetSupplierRequestAsync)
            .GivesReport<SupplierRequest>();
    }

    private static RouteHandlerBuilder GivesReport<T>(this RouteHandlerBuilder route)
    {
        foreach (var status in (int[])[400, 401, 404, 406, 409, 422, 503])
            route.Produces<Problem>(status, "application/problem+json");
        return route
            .Produces<Report<T>>(
                StatusCodes.Status200OK, ReportFormats.Json, ReportFormats.Html, ReportFormats.Pdf)
            .Produces(StatusCodes.Status304NotModified);
    }

    private static Task<IResult> GetNonconformityAsync(
        Guid id, string? format, string? minRevision, ClaimsPrincipal caller, HttpRequest request,
        ReportQueries queries, ReportPrinter printer, RevisionWait wait, CancellationToken ct) => AskedAsync(
            (Families.Nonconformity, id), format, minRevision, request, wait,
            async asked => await queries.CaseAsync(id, caller.SiteLimit(), ct) is not { } facts
                ? HttpResults.NotFound()
                : await printer.AnswerAsync(
                    printer.Frame(
                        "nonconformity", NonconformityReports.Of(facts), facts.History.Streams,
                        facts.History.Position),
                    NonconformityPages.Of, asked, request, ct), ct);

    private static Task<IResult> GetEightDAsync(
        Guid capaId, string? format, string? minRevision, ClaimsPrincipal caller, HttpRequest request,
        ReportQueries queries, ReportPrinter printer, RevisionWait wait, CancellationToken ct) => AskedAsync(
            (Families.ActionPlan, capaId), format, minRevision, request, wait,
            asked => EightDAsync(capaId, asked, caller, request, queries, printer, ct), ct);

    private static Task<IResult> FindEightDAsync(
        string? nonconformityId, string? format, ClaimsPrincipal caller, HttpRequest request, ReportQueries queries,
        ReportPrinter printer, RevisionWait wait, CancellationToken ct)
    {
        var check = new ParameterCheck();
        check.Required("nonconformityId", nonconformityId);
        var id = check.Id("nonconformityId", nonconformityId) ?? Guid.Empty;
        if (check.Refusal is { } refusal) return Task.FromResult(refusal);
        return AskedAsync((Families.Nonconformity, id), format, null, request, wait, async asked =>
            await queries.CapasOfAsync(id, caller.SiteLimit(), ct) switch
            {
                null => HttpResults.NotFound(),
                [] => HttpResults.Problem(
                    StatusCodes.Status409Conflict, "no-capa", "The case has no CAPA, so there is no 8D report of it."),
                [{ Id: var only }] => await EightDAsync(only, asked, caller, request, queries, printer, ct),
                var several => HttpResults.Problem(
                    StatusCodes.Status409Conflict, "several-capas",
                    "The case has several CAPAs; ask for the report of one: "
                    + string.Join(", ", several.Select(capa => capa.Id.ToString("D")))),
            }, ct);
    }

    private static async Task<IResult> EightDAsync(
        Guid capaId, ReportFormat format, ClaimsPrincipal caller, HttpRequest request, ReportQueries queries,
        ReportPrinter printer, CancellationToken ct) =>
        await queries.CapaAsync(capaId, caller.SiteLimit(), ct) is not { } facts
            ? HttpResults.NotFound()
            : await printer.AnswerAsync(
                printer.Frame("8d", EightDReports.Of(facts), facts.History.Streams, facts.History.Position),
                EightDPages.Of, format, request, ct);

    private static Task<IResult> GetSupplierRequestAsync(
        Guid nonconformityId, string? supplier, string? format, string? minRevision, ClaimsPrincipal caller,
        HttpRequest request, ReportQueries queries, ReportPrinter printer, IOptions<ReportSettings> settings,
        RevisionWait wait, CancellationToken ct) => AskedAsync(
            (Families.Nonconformity, nonconformityId), format, minRevision, request, wait, async asked =>
            {
                if (await queries.CaseAsync(nonconformityId, caller.SiteLimit(), ct) is not { } facts)
                    return HttpResults.NotFound();
                var suppliers = await queries.SuppliersAsync(nonconformityId, ct);
                if ((supplier ?? OnlyOne(suppliers)) is not { } chosen || !suppliers.Contains(chosen))
                    return NoSupplier(suppliers, supplier);
                var goods = await queries.SuppliedAsync(nonconformityId, chosen, ct);
                var content = SupplierRequests.Of(
                    facts, chosen, suppliers.Count == 1, goods, settings.Value.SupplierAnswerDays);
                // The supplier is told the state of the case and nothing of what else it is made of.
                return await printer.AnswerAsync(
                    printer.Frame(
                        "supplier-corrective-action-request", content, facts.Own.Streams, facts.Own.Position),
                    SupplierPages.Of, asked, request, ct);
            }, ct);

    private static string? OnlyOne(IReadOnlyList<string> suppliers) => suppliers is [var only] ? only : null;

    private static IResult NoSupplier(IReadOnlyList<string> suppliers, string? asked) => (suppliers, asked) switch
    {
        ([], _) => HttpResults.Problem(
            StatusCodes.Status409Conflict, "no-supplier", "Neither the case nor a deviation of it names a supplier."),
        (_, null) => HttpResults.Problem(
            StatusCodes.Status409Conflict, "several-suppliers",
            "The case concerns several suppliers; name one with supplier: " + string.Join(", ", suppliers)),
        _ => HttpResults.Problem(
            StatusCodes.Status409Conflict, "no-supplier",
            "Neither the case nor a deviation of it names that supplier."),
    };

    private static async Task<IResult> AskedAsync(
        (Family Family, Guid Id) stream, string? format, string? minRevision, HttpRequest request, RevisionWait wait,
        Func<ReportFormat, Task<IResult>> answer, CancellationToken ct)
    {
        var check = new ParameterCheck();
        check.OneOf("format", format, ReportFormats.Names);
        if (check.Refusal is { } refusal) return refusal;
        var (wanted, unacceptable) = ReportFormats.Of(format, request.Headers);
        if (unacceptable is not null) return unacceptable;
        if (minRevision is not null)
        {
            if (!long.TryParse(minRevision, NumberStyles.None, CultureInfo.InvariantCulture, out var revision))
                return HttpResults.Invalid([new FieldError("minRevision", "must be a revision, from 0")]);
            if (!await wait.ReachedAsync(stream.Family, stream.Id, revision, ct)) return Answers.NotYet();
        }

        try
        {
            return await answer(wanted);
        }
        catch (StateKeepsMovingException)
        {
            return Answers.NotYet();
        }
    }
}
