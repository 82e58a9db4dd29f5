using System.Security.Cryptography;
using System.Text;

namespace CapaEngine.Gateway;

/// <summary>What a browser sees at the address of the API.</summary>
internal static class LandingPage
{
    private const string Style =
        "body{font:16px/1.5 sans-serif;max-width:44rem;margin:3rem auto;padding:0 1rem}code{background:#eee}";

    private const string Html = $"""
        <!doctype html>
        <html lang="en">
        <head><meta charset="utf-8"><title>CapaEngine</title><style>{Style}</style></head>
        <body>
        <h1>CapaEngine</h1>
        <p>Nonconformities and corrective action (ISO 9001 §8.7, §10.2), kept as events: no accepted event is lost,
        nothing is counted twice, and an action counts as effective only when the data say so.</p>
        <ul>
        <li><a href="/openapi/v1.json">The API</a>, described by OpenAPI; its resources lie below <code>/api/v1</code>
        and want a bearer token.</li>
        <li><a href="/health/ready">Whether it is ready</a>, and its <a href="/metrics">metrics</a>.</li>
        </ul>
        </body>
        </html>
        """;

    // Only this very style may apply, and nothing else may load.
    private static readonly string Policy =
        $"default-src 'none'; frame-ancestors 'none'; style-src 'sha256-{
            Convert.ToBase64String(SHA256.HashData(Encoding.UTF8.GetBytes(Style)))}'";

    public static void MapLandingPage(this WebApplication app) => app.MapGet("/", (HttpResponse response) =>
    {
        response.Headers.ContentSecurityPolicy = Policy;
        return Results.Content(Html, "text/html; charset=utf-8");
    }).AllowAnonymous();
}
