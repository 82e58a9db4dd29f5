using System.Collections.Concurrent;
using System.Net;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace CapaEngine.Integration.Deadlines;

/// <summary>A request as a receiver of webhooks sees it.</summary>
public sealed record ReceivedWebhook(string Path, string Id, string Timestamp, string Signature, string Body);

/// <summary>A receiver of webhooks on loopback that answers as the test says, and otherwise with 204.</summary>
public sealed class WebhookReceiver : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly ConcurrentQueue<HttpStatusCode> answers = new();

    private WebhookReceiver(WebApplication app) => this.app = app;

    /// <summary>What came, in order.</summary>
    public ConcurrentQueue<ReceivedWebhook> Requests { get; } = new();

    /// <summary>Where to send to.</summary>
    public Uri Url { get; private set; } = null!;

    public static async Task<WebhookReceiver> StartAsync(CancellationToken ct)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var receiver = new WebhookReceiver(builder.Build());
        receiver.app.Run(receiver.TakeAsync);
        await receiver.app.StartAsync(ct);
        receiver.Url = new Uri($"{receiver.app.Urls.Single()}/hook");
        return receiver;
    }

    /// <summary>Answers the next request that is not answered otherwise already with this status.</summary>
    public void AnswerNext(HttpStatusCode status) => answers.Enqueue(status);

    /// <summary>Refuses every connection from now on.</summary>
    public Task StopAsync(CancellationToken ct) => app.StopAsync(ct);

    public ValueTask DisposeAsync() => app.DisposeAsync();

    private async Task TakeAsync(HttpContext http)
    {
        using var reader = new StreamReader(http.Request.Body, Encoding.UTF8);
        var headers = http.Request.Headers;
        Requests.Enqueue(new ReceivedWebhook(
            http.Request.Path, headers["webhook-id"].ToString(), headers["webhook-timestamp"].ToString(),
            headers["webhook-signature"].ToString(), await reader.ReadToEndAsync(http.RequestAborted)));
        var status = answers.TryDequeue(out var asked) ? asked : HttpStatusCode.NoContent;
        if (status == HttpStatusCode.Found) http.Response.Headers.Location = "/elsewhere";
        http.Response.StatusCode = (int)status;
    }
}
