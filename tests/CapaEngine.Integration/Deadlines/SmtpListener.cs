using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace CapaEngine.Integration.Deadlines;

/// <summary>A mail as it came over the wire.</summary>
public sealed record ReceivedMail(string From, string To, string Data)
{
    /// <summary>A header with its continuation lines joined; null where there is none.</summary>
    public string? Header(string name)
    {
        var head = Data[..Data.IndexOf("\r\n\r\n", StringComparison.Ordinal)];
        return head.Replace("\r\n ", " ").Replace("\r\n\t", " ").Split("\r\n")
            .FirstOrDefault(line => line.StartsWith($"{name}: ", StringComparison.OrdinalIgnoreCase))
            ?[(name.Length + 2)..];
    }
}

/// <summary>A mail server on loopback that speaks enough SMTP and answers mails as the test says.</summary>
public sealed class SmtpListener : IAsyncDisposable
{
    private readonly TcpListener listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource stopping = new();
    private readonly ConcurrentQueue<string> refusals = new();
    private readonly Task serving;

    public SmtpListener()
    {
        listener.Start();
        serving = ServeAsync();
    }

    /// <summary>Where it listens.</summary>
    public int Port => ((IPEndPoint)listener.LocalEndpoint).Port;

    /// <summary>The mails it took, in the order they came.</summary>
    public ConcurrentQueue<ReceivedMail> Mails { get; } = new();

    /// <summary>Answers the next mail without an answer of its own with this line.</summary>
    public void RefuseNext(string answer) => refusals.Enqueue(answer);

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        listener.Stop();
        await serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stopping.Dispose();
    }

    private async Task ServeAsync()
    {
        while (!stopping.IsCancellationRequested)
        {
            using var client = await listener.AcceptTcpClientAsync(stopping.Token);
            await using var stream = client.GetStream();
            await ConverseAsync(stream);
        }
    }

    private async Task ConverseAsync(NetworkStream stream)
    {
        using var reader = new StreamReader(stream, Encoding.Latin1);
        await using var writer = new StreamWriter(stream, Encoding.Latin1) { NewLine = "\r\n", AutoFlush = true };
        var (from, to) = ("", "");
        await writer.WriteLineAsync("220 test ESMTP");
        while (await reader.ReadLineAsync(stopping.Token) is { } line)
        {
            var verb = line.Split(' ', ':')[0].ToUpper(CultureInfo.InvariantCulture);
            if (verb == "MAIL") from = Address(line);
            if (verb == "RCPT") to = Address(line);
            if (verb == "DATA")
            {
                await writer.WriteLineAsync("354 go on");
                var mail = new ReceivedMail(from, to, await ReadDataAsync(reader));
                var isRefused = refusals.TryDequeue(out var refusal);
                if (!isRefused) Mails.Enqueue(mail);
                await writer.WriteLineAsync(refusal ?? "250 taken");
                continue;
            }

            await writer.WriteLineAsync(verb == "QUIT" ? "221 bye" : "250 test");
            if (verb == "QUIT") return;
        }
    }

    private async Task<string> ReadDataAsync(StreamReader reader)
    {
        var data = new StringBuilder();
        while (await reader.ReadLineAsync(stopping.Token) is { } line && line != ".")
            data.Append(line.StartsWith('.') ? line[1..] : line).Append("\r\n");
        return data.ToString();
    }

    private static string Address(string line) => line[(line.IndexOf('<') + 1)..line.IndexOf('>')];
}
