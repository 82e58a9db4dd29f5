using System.Collections.Concurrent;
using System.Net;
using Google.Protobuf;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace CapaEngine.Integration.Infrastructure;

/// <summary>A span as a service exported it.</summary>
public sealed record Span(string Service, string TraceId, string SpanId, string ParentId, string Name);

/// <summary>
/// A collector for the OpenTelemetry protocol over HTTP. It reads the few fields of the export message that tests ask
/// for, by their numbers in the published protocol, and keeps what real services really sent.
/// </summary>
public sealed class TraceReceiver : IAsyncDisposable
{
    private readonly WebApplication server;
    private readonly ConcurrentBag<Span> spans = [];

    private TraceReceiver(WebApplication server, int port)
    {
        this.server = server;
        Endpoint = new Uri($"http://127.0.0.1:{port}");
    }

    /// <summary>Where services export to.</summary>
    public Uri Endpoint { get; }

    /// <summary>The spans of one trace received so far.</summary>
    public IReadOnlyList<Span> Trace(string traceId) => [.. spans.Where(span => span.TraceId == traceId)];

    /// <summary>Starts listening on a free port.</summary>
    public static async Task<TraceReceiver> StartAsync(CancellationToken ct)
    {
        var port = ServiceProcess.FreePort();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));
        var app = builder.Build();
        var receiver = new TraceReceiver(app, port);
        app.MapPost("/v1/traces", async (HttpRequest request) =>
        {
            using var body = new MemoryStream();
            await request.Body.CopyToAsync(body, request.HttpContext.RequestAborted);
            receiver.ReadExport(body.ToArray());
            return Results.Bytes([], "application/x-protobuf");
        });
        app.MapPost("/v1/metrics", () => Results.Bytes([], "application/x-protobuf"));
        app.MapPost("/v1/logs", () => Results.Bytes([], "application/x-protobuf"));
        await app.StartAsync(ct);
        return receiver;
    }

    public async ValueTask DisposeAsync() => await server.DisposeAsync();

    private void ReadExport(byte[] export)
    {
        foreach (var resourceSpans in Fields(export, 1))
        {
            var service = Fields(resourceSpans, 1).SelectMany(resource => Fields(resource, 1))
                .Where(attribute => Text(attribute, 1) == "service.name")
                .Select(attribute => Text(Fields(attribute, 2).Single(), 1)).FirstOrDefault("");
            foreach (var span in Fields(resourceSpans, 2).SelectMany(scope => Fields(scope, 2)))
                spans.Add(new Span(service, Hex(span, 1), Hex(span, 2), Hex(span, 4), Text(span, 5)));
        }
    }

    private static string Hex(byte[] message, int field) =>
        Convert.ToHexStringLower(Fields(message, field).FirstOrDefault([]));

    private static string Text(byte[] message, int field) =>
        System.Text.Encoding.UTF8.GetString(Fields(message, field).FirstOrDefault([]));

    private static List<byte[]> Fields(byte[] message, int number)
    {
        using var input = new CodedInputStream(message);
        var found = new List<byte[]>();
        for (var tag = input.ReadTag(); tag != 0; tag = input.ReadTag())
        {
            if (WireFormat.GetTagFieldNumber(tag) == number
                && WireFormat.GetTagWireType(tag) == WireFormat.WireType.LengthDelimited)
                found.Add(input.ReadBytes().ToByteArray());
            else
                input.SkipLastField();
        }

        return found;
    }
}
