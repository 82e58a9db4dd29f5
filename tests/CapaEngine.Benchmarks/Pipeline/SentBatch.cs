using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using CapaEngine.Contracts;

namespace CapaEngine.Benchmarks.Pipeline;

/// <summary>One request of the generator: when its events were to be sent, and what became of them.</summary>
internal sealed class SentBatch
{
    /// <summary>When each event was to be sent, whether or not the generator or the system was ready for it.</summary>
    public required long[] Intended { get; init; }

    /// <summary>When the receipts were there.</summary>
    public long Answered { get; private set; }

    /// <summary>The place in the log of each event that was accepted, with its partition.</summary>
    public List<(ulong Position, int Partition)> Accepted { get; } = [];

    /// <summary>Null where the answer was what it should be.</summary>
    public string? Failure { get; private set; }

    /// <summary>Sends the body and keeps what the receipts say.</summary>
    public async Task SendAsync(HttpClient http, byte[] body, CancellationToken ct)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(DeviationLines.MediaType);
        try
        {
            using var response = await http.PostAsync("/api/v1/deviations", content, ct);
            var answer = await response.Content.ReadAsByteArrayAsync(ct);
            Answered = Stopwatch.GetTimestamp();
            if (response.StatusCode == HttpStatusCode.OK) Read(answer);
            else Failure = $"{(int)response.StatusCode}";
            if (Failure is null && Accepted.Count != Intended.Length) Failure = "not all were accepted";
        }
        catch (HttpRequestException broken)
        {
            (Answered, Failure) = (Stopwatch.GetTimestamp(), broken.HttpRequestError.ToString());
        }
    }

    private void Read(ReadOnlySpan<byte> answer)
    {
        foreach (var range in answer.Split((byte)'\n'))
        {
            if (answer[range].IsEmpty) continue;
            var reader = new Utf8JsonReader(answer[range]);
            var (isAccepted, position, partition) = (false, 0UL, 0);
            while (reader.Read())
            {
                if (reader.TokenType != JsonTokenType.PropertyName) continue;
                if (reader.ValueTextEquals("outcome"u8))
                    isAccepted = reader.Read() && reader.ValueTextEquals("accepted"u8);
                else if (reader.ValueTextEquals("position"u8)) position = reader.Read() ? reader.GetUInt64() : 0;
                else if (reader.ValueTextEquals("deviationId"u8) && reader.Read() && reader.TryGetGuid(out var id))
                    partition = Partitions.Of(Families.Deviation.Stream(id), Partitions.CountDefault);
            }

            if (isAccepted) Accepted.Add((position, partition));
        }
    }
}
