using CapaEngine.ReadModels.Reports;
using Microsoft.AspNetCore.Http;
using Shouldly;

namespace CapaEngine.Specs.ReadModels.Reports;

/// <summary>What a caller is given for what was asked.</summary>
public sealed class ReportFormatSpecs
{
    [Theory]
    [InlineData(null, null, "Json")]
    [InlineData(null, "*/*", "Json")]
    [InlineData(null, "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "Html")]
    [InlineData(null, "application/pdf", "Pdf")]
    [InlineData(null, "application/pdf;q=0.5, text/*;q=0.7", "Html")]
    [InlineData(null, "*/*, application/json;q=0, text/html;q=0", "Pdf")]
    [InlineData(null, "text/html;q=0.2, application/json;q=0.1", "Html")]
    [InlineData("pdf", "text/html", "Pdf")]
    [InlineData("json", "image/png", "Json")]
    [InlineData(null, "image/png", "406")]
    [InlineData(null, "application/json;q=0", "406")]
    [InlineData(null, "text/html;q=0, image/*", "406")]
    [InlineData(null, "not a type", "400")]
    public void the_parameter_wins_over_accept_and_the_most_precise_range_decides(
        string? named, string? accept, string expected)
    {
        var headers = new HeaderDictionary();
        if (accept is not null) ((IHeaderDictionary)headers).Accept = accept;
        var (format, refusal) = ReportFormats.Of(named, headers);
        (refusal is IStatusCodeHttpResult { StatusCode: var status } ? $"{status}" : $"{format}").ShouldBe(expected);
    }
}
