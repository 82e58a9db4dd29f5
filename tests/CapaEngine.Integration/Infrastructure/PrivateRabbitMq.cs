using System.Diagnostics;
using System.Globalization;

namespace CapaEngine.Integration.Infrastructure;

/// <summary>
/// A RabbitMQ of the test's own, for what would disturb everybody else. It is started by the same functions as that of
/// <c>./capa up</c>, with the product's configuration, in a temporary folder.
/// </summary>
public sealed class PrivateRabbitMq : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("capa-rabbitmq-").FullName;
    private readonly int _port = ServiceProcess.FreePort();

    private PrivateRabbitMq() { }

    /// <summary>The address of its default virtual host.</summary>
    public string ConnectionString => $"amqp://guest:guest@127.0.0.1:{_port}/%2F";

    /// <summary>Sets a node up and starts it.</summary>
    public static async Task<PrivateRabbitMq> StartAsync(CancellationToken ct)
    {
        var broker = new PrivateRabbitMq();
        await broker.StartServerAsync(ct);
        return broker;
    }

    /// <summary>Ends it as a power cut would (<c>kill -9</c>) and starts it again on its data.</summary>
    public async Task KillAndRestartAsync(CancellationToken ct)
    {
        await RunAsync(
            """
            killed=$(recorded rabbitmq pid)
            kill -s KILL "$killed"
            for _ in {1..600}; do kill -s 0 "$killed" 2>/dev/null || break; sleep 0.05; done
            """, ct);
        await StartServerAsync(ct);
    }

    /// <summary>Sends a signal (<c>STOP</c>, <c>CONT</c>, <c>KILL</c>) to the node.</summary>
    public Task SignalAsync(string signal, CancellationToken ct) =>
        RunAsync($"kill -s {signal} \"$(recorded rabbitmq pid)\"", ct);

    /// <summary>Has it block publishers, as one does whose disk is nearly full; or take their messages again.</summary>
    public Task SetDiskAlarmAsync(bool isOn, CancellationToken ct) =>
        ControlAsync($"set_disk_free_limit {(isOn ? "900000GB" : "100MB")}", ct);

    /// <summary>The same, as one does that uses more memory than it may.</summary>
    public Task SetMemoryAlarmAsync(bool isOn, CancellationToken ct) =>
        ControlAsync($"set_vm_memory_high_watermark {(isOn ? "0.0001" : "0.4")}", ct);

    /// <summary>Removes every message from every queue.</summary>
    public Task PurgeAllQueuesAsync(CancellationToken ct) => ControlAsync(
        "eval '[rabbit_amqqueue:purge(Queue) || Queue <- rabbit_amqqueue:list()].' >/dev/null", ct);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await RunAsync("stop rabbitmq 5 KILL; stop epmd 5 KILL", CancellationToken.None);
        Directory.Delete(_folder, recursive: true);
    }

    // When a killed node is gone its ports are free, and stay what they were.
    private Task StartServerAsync(CancellationToken ct) => RunAsync(
        """
        for name in rabbitmq rabbitmq-management rabbitmq-metrics rabbitmq-distribution epmd; do
          assign_port "$name" "$((first++))" "${name%%-*}"
        done
        save_ports
        start_rabbitmq guest guest /
        """, ct);

    private Task ControlAsync(string command, CancellationToken ct) =>
        RunAsync($"(rabbitmq_environment; \"$(rabbitmq_sbin)/rabbitmqctl\" -q {command})", ct);

    private async Task RunAsync(string command, CancellationToken ct)
    {
        const string frame = """
            set -euo pipefail
            ROOT=$1 STATE=$2 first=$3
            for library in lib packages servers; do source "$ROOT/infra/$library.sh"; done
            prepare_state
            load_ports

            """;
        var start = new ProcessStartInfo("bash",
        [
            "-c", frame + command, "bash", ServiceProcess.RepositoryRoot(), _folder,
            _port.ToString(CultureInfo.InvariantCulture),
        ])
        {
            UseShellExecute = false,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        var said = process.StandardError.ReadToEndAsync(ct);
        await process.WaitForExitAsync(ct);
        if (process.ExitCode != 0)
            throw new InvalidOperationException($"{command} ended with code {process.ExitCode}: {await said}");
    }
}
