using CapaEngine.Hosting;
using Microsoft.Net.Http.Headers;

namespace CapaEngine.ReadModels.Reports;

/// <summary>What a report can be asked for as.</summary>
public enum ReportFormat { Json, Html, Pdf }

/// <summary>Finds out as what a caller wants a report: by the parameter, else by <c>Accept</c>.</summary>
internal static class ReportFormats
{
    public const string Json = "application/json";
    public const string Html = "text/html";
    public const string Pdf = "application/pdf";

    private static readonly (ReportFormat Format, string MediaType)[] Known =
        [(ReportFormat.Json, Json), (ReportFormat.Html, Html), (ReportFormat.Pdf, Pdf)];

    /// <summary>The names of the parameter <c>format</c>.</summary>
    public static string[] Names { get; } = ["json", "html", "pdf"];

    /// <summary>The format, or the refusal.</summary>
    /// <param name="named">The parameter, checked before to be one of <see cref="Names"/>.</param>
    public static (ReportFormat Format, IResult? Refusal) Of(string? named, IHeaderDictionary headers)
    {
        if (named is not null) return ((ReportFormat)Array.IndexOf(Names, named), null);
        if (headers.Accept.Count == 0) return (ReportFormat.Json, null);
        if (!MediaTypeHeaderValue.TryParseList(headers.Accept, out var accepted))
            return (default, HttpResults.Problem(
                StatusCodes.Status400BadRequest, "malformed-header", "Accept is not a list of media types."));
        var best = Known.Select(known => (known.Format, Quality: QualityOf(known.MediaType, accepted)))
            .MaxBy(known => known.Quality);
        return best.Quality > 0
            ? (best.Format, null)
            : (default, HttpResults.Problem(
                StatusCodes.Status406NotAcceptable, "not-acceptable",
                $"A report is given as {string.Join(", ", Known.Select(known => known.MediaType))}."));
    }

    // The range that names a type most precisely decides, whatever stands beside it (RFC 9110, 12.5.1).
    private static double QualityOf(string mediaType, IList<MediaTypeHeaderValue> accepted)
    {
        var wanted = MediaTypeHeaderValue.Parse(mediaType);
        return accepted.Where(wanted.IsSubsetOf)
            .OrderByDescending(range => range.MatchesAllTypes ? 0 : range.MatchesAllSubTypes ? 1 : 2)
            .Select(range => range.Quality ?? 1).FirstOrDefault();
    }
}
