using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.ReadModels.Reports.Pdf;
using Microsoft.Net.Http.Headers;

namespace CapaEngine.ReadModels.Reports;

/// <summary>Gives a composed report to a caller: in the format asked for, or as not modified.</summary>
public sealed class ReportPrinter(HtmlReports html, PdfReports pdf, TimeProvider clock)
{
    /// <summary>The report with its frame: when, of which state, and the hash of its content.</summary>
    internal Report<T> Frame<T>(string kind, T content, IReadOnlyList<ShownStream> streams, long position) => new(
        kind, clock.GetUtcNow(), new ReportState(position, streams), HashOf(content), content);

    /// <summary>SHA-256 of the content as it is served within the JSON of the report, lower-case hexadecimal.</summary>
    internal static string HashOf<T>(T content) => Convert.ToHexStringLower(
        SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(content, StrictJson.Requests)));

    /// <summary>The answer.</summary>
    internal async Task<IResult> AnswerAsync<T>(
        Report<T> report, Func<Report<T>, ReportDocument> pages, ReportFormat format, HttpRequest request,
        CancellationToken ct)
    {
        var tag = TagOf(report, format);
        if (Matches(request, tag)) return new Described(Results.StatusCode(StatusCodes.Status304NotModified), tag);
        var document = pages(report);
        return format switch
        {
            ReportFormat.Html => new Described(
                Results.Content(await html.RenderAsync(document), "text/html; charset=utf-8"), tag,
                $"{document.FileName}.html", HtmlReports.Policy),
            ReportFormat.Pdf => await PrintAsync(document, tag, ct),
            _ => new Described(
                Results.Json(report, StrictJson.Requests, ReportFormats.Json), tag, $"{document.FileName}.json"),
        };
    }

    private async Task<IResult> PrintAsync(ReportDocument document, EntityTagHeaderValue tag, CancellationToken ct)
    {
        try
        {
            return new Described(
                Results.Bytes(await pdf.RenderAsync(document, ct), ReportFormats.Pdf), tag, $"{document.FileName}.pdf");
        }
        catch (FontMissingException e)
        {
            return HttpResults.Unavailable("font-missing", e.Message);
        }
        catch (PdfBusyException e)
        {
            return HttpResults.Unavailable("too-busy", e.Message);
        }
        catch (ReportTooLongException e)
        {
            return HttpResults.Problem(StatusCodes.Status422UnprocessableEntity, "report-too-long", e.Message);
        }
    }

    // Weak, because the time of generation differs from answer to answer and nothing else does. What is shown of the
    // streams changes with their revisions only; the hash adds the settings and the rows of other families.
    private static EntityTagHeaderValue TagOf<T>(Report<T> report, ReportFormat format)
    {
        var state = string.Join('\n', report.AsOf.Streams.Select(stream => string.Create(
            CultureInfo.InvariantCulture, $"{stream.Stream}@{stream.Revision}")));
        var hash = SHA256.HashData(Encoding.UTF8.GetBytes($"{report.Kind}\n{format}\n{report.ContentHash}\n{state}"));
        return new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(hash.AsSpan(0, 16))}\"", isWeak: true);
    }

    private static bool Matches(HttpRequest request, EntityTagHeaderValue tag) =>
        request.GetTypedHeaders().IfNoneMatch.Any(
            known => known.Equals(EntityTagHeaderValue.Any) || known.Compare(tag, useStrongComparison: false));

    private sealed class Described(
        IResult inner, EntityTagHeaderValue tag, string? fileName = null, string? policy = null) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            var headers = httpContext.Response.Headers;
            headers.ETag = tag.ToString();
            headers.Vary = HeaderNames.Accept;
            if (fileName is not null) headers.ContentDisposition = $"inline; filename=\"{fileName}\"";
            if (policy is not null) headers.ContentSecurityPolicy = policy;
            return inner.ExecuteAsync(httpContext);
        }
    }
}
