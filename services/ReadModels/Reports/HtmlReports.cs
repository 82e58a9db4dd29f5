using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;

namespace CapaEngine.ReadModels.Reports;

/// <summary>Renders reports as one HTML page that needs nothing from elsewhere and prints well.</summary>
public sealed class HtmlReports(IServiceProvider services, ILoggerFactory logging)
{
    /// <summary>The style of the page: the only one its policy lets apply.</summary>
    internal const string Style = """
        body{font:15px/1.45 sans-serif;color:#111;max-width:70rem;margin:2rem auto;padding:0 1rem}
        h1{margin:0}h2{border-bottom:1px solid #888;margin:1.6rem 0 .6rem;break-after:avoid}
        .subject{margin:0;color:#444}
        p,td,dd{white-space:pre-wrap;overflow-wrap:anywhere;unicode-bidi:isolate}
        dl{display:grid;grid-template-columns:minmax(9rem,14rem) 1fr;gap:.15rem .8rem}
        dt{color:#444}dd{margin:0}
        table{border-collapse:collapse;width:100%;margin:.8rem 0}
        caption{text-align:left;font-weight:bold;padding:.2rem 0}
        th,td{border:1px solid #999;padding:.2rem .4rem;text-align:left;vertical-align:top}
        th{background:#eee}
        .open{color:#8a4b00;font-style:italic}
        .ended{color:#555;background:#f1f1f1}
        footer{margin-top:2rem;border-top:1px solid #888;font-size:.85em}
        @page{size:A4;margin:18mm 15mm;@bottom-right{content:"page " counter(page) " of " counter(pages)}}
        @media print{body{max-width:none;margin:0;padding:0;font-size:9.5pt}thead{display:table-header-group}
        tr{break-inside:avoid-page}}
        """;

    /// <summary>Nothing may load, run or frame it; only its own style applies.</summary>
    internal static readonly string Policy =
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; style-src 'sha256-"
        + $"{Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Style)))}'";

    /// <summary>The page.</summary>
    public async Task<string> RenderAsync(ReportDocument document)
    {
        await using var renderer = new HtmlRenderer(services, logging);
        return await renderer.Dispatcher.InvokeAsync(async () =>
        {
            var page = await renderer.RenderComponentAsync<ReportPage>(ParameterView.FromDictionary(
                new Dictionary<string, object?> { [nameof(ReportPage.Document)] = document }));
            return page.ToHtmlString();
        });
    }

    /// <summary>The class of the style for a tone.</summary>
    internal static string? ClassOf(Tone tone) => tone switch
    {
        Tone.Open => "open",
        Tone.Ended => "ended",
        _ => null,
    };
}
