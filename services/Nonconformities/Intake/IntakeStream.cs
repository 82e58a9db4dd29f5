using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using System.Threading.Channels;
using CapaEngine.Contracts;
using CapaEngine.EventStore;
using CapaEngine.Hosting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;

namespace CapaEngine.Nonconformities.Intake;

/// <summary>
/// One event a line for as long as the sender likes, answered by one receipt a line in the same order. Reading waits
/// while too much is under way, so the length does not matter for the memory. What was recorded stays when the
/// connection breaks.
/// </summary>
internal sealed class IntakeStream(MachineIntake intake, IntakeOrigin origin)
{
    private const int ReceiptsWaitingMax = 512;

    // Most clients, and the gateway as one, look at no answer before they have sent everything. So receipts wait for
    // the end of the body, beyond this size in a temporary file.
    private const int ReceiptBytesInMemoryMax = 256 << 10;

    private static readonly byte[] LineEnd = "\n"u8.ToArray();

    /// <summary>Whether the sender takes receipts as lines.</summary>
    public static bool IsAskedFor(HttpRequest request) =>
        request.ContentType!.StartsWith(IntakeBody.Lines, StringComparison.OrdinalIgnoreCase)
        && request.Headers.Accept.Any(
            types => types?.Contains(IntakeBody.Lines, StringComparison.OrdinalIgnoreCase) == true);

    /// <summary>Takes the lines and answers them.</summary>
    public async Task RunAsync(HttpContext http)
    {
        http.Features.GetRequiredFeature<IHttpMaxRequestBodySizeFeature>().MaxRequestBodySize = null;
        using var over = CancellationTokenSource.CreateLinkedTokenSource(http.RequestAborted);
        var receipts = Channel.CreateBounded<Task<Receipt>>(ReceiptsWaitingMax);
        var reading = ReadAsync(http.Request.BodyReader, receipts.Writer, over.Token);
        try
        {
            await AnswerAsync(http.Response, receipts.Reader, over.Token);
        }
        finally
        {
            await over.CancelAsync();
            await reading;
        }
    }

    private async Task ReadAsync(PipeReader body, ChannelWriter<Task<Receipt>> receipts, CancellationToken ct)
    {
        try
        {
            var window = intake.OpenWindow();
            var isOpen = true;
            while (isOpen)
            {
                var read = await body.ReadAsync(ct);
                var rest = read.Buffer;
                try
                {
                    while (isOpen && CutLine(ref rest, read.IsCompleted) is { } line)
                        isOpen = await EnterAsync(window, line, receipts, ct);
                    if (rest.Length > IntakeBody.EventBytesMax) throw new LineTooLongException();
                }
                finally
                {
                    // Unsaid, the server would close a connection on which the gateway sends other requests.
                    body.AdvanceTo(rest.Start, rest.End);
                }

                isOpen &= !read.IsCompleted;
            }

            receipts.TryComplete();
        }
        catch (Exception ended)
        {
            receipts.TryComplete(ended);
        }
    }

    private async Task<bool> EnterAsync(
        IntakeWindow window, byte[] line, ChannelWriter<Task<Receipt>> receipts, CancellationToken ct)
    {
        if (line.AsSpan().Trim(" \t\r"u8).IsEmpty) return true;
        if (line.Length > IntakeBody.EventBytesMax) throw new LineTooLongException();
        var item = IntakeBody.ReadLine(line);
        if (!await window.WaitForPlaceAsync(item, ct)) return false;
        await receipts.WriteAsync(window.TakeAsync(item, origin, ct), ct);
        return true;
    }

    // The last line may do without its end.
    private static byte[]? CutLine(ref ReadOnlySequence<byte> rest, bool isLast)
    {
        var end = rest.PositionOf((byte)'\n');
        if (end is null && (!isLast || rest.IsEmpty)) return null;
        var line = (end is { } at ? rest.Slice(0, at) : rest).ToArray();
        rest = end is { } found ? rest.Slice(rest.GetPosition(1, found)) : rest.Slice(rest.End);
        return line;
    }

    private static async Task AnswerAsync(
        HttpResponse response, ChannelReader<Task<Receipt>> receipts, CancellationToken ct)
    {
        await using var answer = new FileBufferingWriteStream(ReceiptBytesInMemoryMax);
        response.ContentType = IntakeBody.Lines;
        try
        {
            await foreach (var receipt in receipts.ReadAllAsync(ct)) await WriteLineAsync(answer, await receipt, ct);
        }
        catch (Exception failure) when (ProblemOf(failure) is { } problem && !ct.IsCancellationRequested)
        {
            // What has a receipt is recorded, so they are given, too; the last line says why there are no more.
            if (answer.Length == 0) response.StatusCode = problem.Status;
            await WriteLineAsync(answer, problem, ct);
        }

        await answer.DrainBufferAsync(response.BodyWriter, ct);
    }

    private static async Task WriteLineAsync<T>(Stream answer, T line, CancellationToken ct)
    {
        await answer.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(line, StrictJson.Requests), ct);
        await answer.WriteAsync(LineEnd, ct);
    }

    private static Problem? ProblemOf(Exception failure) => failure switch
    {
        LineTooLongException => new Problem(
            "urn:capaengine:problem:event-too-large", "Payload Too Large", StatusCodes.Status413PayloadTooLarge,
            "event-too-large", $"One event has at most {IntakeBody.EventBytesMax} bytes."),
        EventStoreUnavailableException => new Problem(
            "urn:capaengine:problem:event-store-unavailable", "Service Unavailable",
            StatusCodes.Status503ServiceUnavailable, "event-store-unavailable",
            "The event store does not answer; send the lines without receipt again later."),
        _ => null,
    };

    private sealed class LineTooLongException : Exception;
}
