using System.Diagnostics;
using System.Globalization;
using Npgsql;

namespace CapaEngine.Integration.Infrastructure;

/// <summary>
/// A PostgreSQL of the test's own, for what would disturb everybody else: crashes and restarts. It runs from the
/// system's package with its default durability, on loopback, in a temporary folder.
/// </summary>
public sealed class PrivatePostgres : IAsyncDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("capa-postgres-").FullName;
    private readonly int _port = ServiceProcess.FreePort();
    private readonly string _programs = Programs();
    private bool _hasSmallDisk;

    private PrivatePostgres() { }

    /// <summary>A connection string of its superuser.</summary>
    public string ConnectionString =>
        new NpgsqlConnectionStringBuilder
        {
            Host = "127.0.0.1", Port = _port, Username = "postgres", Database = "postgres",
        }.ConnectionString;

    private string Data => Path.Combine(_folder, "data");

    private string Ballast => Path.Combine(_folder, "ballast");

    private string Log => Path.Combine(_folder, "log");

    private string ServerOptions => $"-p {_port} -h 127.0.0.1 -k {_folder}";

    /// <summary>Sets an instance up and starts it.</summary>
    /// <param name="diskMb">
    /// The size of a disk of its own, in MB, which can be filled without harm to others; mounting it demands root.
    /// </param>
    public static async Task<PrivatePostgres> StartAsync(CancellationToken ct, int? diskMb = null)
    {
        var postgres = new PrivatePostgres();
        if (diskMb is { } size)
        {
            if (!Environment.IsPrivilegedProcess)
                throw new InvalidOperationException("A disk that can be filled is mounted by root only.");
            await RunAsync("mount", ["-t", "tmpfs", "-o", $"size={size}m", "capa-postgres", postgres._folder], ct);
            postgres._hasSmallDisk = true;
        }

        if (Environment.IsPrivilegedProcess)
        {
            await RunAsync("chown", ["postgres:", postgres._folder], ct);
        }

        await postgres.RunAsOwnerAsync(
            "initdb", ["-D", postgres.Data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-locale"], ct);
        await postgres.StartServerAsync(ct);
        return postgres;
    }

    /// <summary>
    /// Ends it as a crash would, without a checkpoint and without a word to anybody, and starts it again: it has to
    /// recover what was committed from its write-ahead log.
    /// </summary>
    public async Task CrashAndRestartAsync(CancellationToken ct)
    {
        await ControlAsync(["-m", "immediate", "stop"], ct);
        await StartServerAsync(ct);
    }

    /// <summary>
    /// Kills every process of it at once (<c>kill -9</c>) and starts it again, when the last of them is gone.
    /// </summary>
    public async Task KillAndRestartAsync(CancellationToken ct)
    {
        await SignalAsync("KILL", ct);
        await StartServerAsync(ct);
    }

    /// <summary>
    /// Sends a signal (<c>STOP</c>, <c>CONT</c>, <c>KILL</c>) to all of its processes; after a KILL they are gone.
    /// </summary>
    public async Task SignalAsync(string signal, CancellationToken ct)
    {
        var main = (await File.ReadAllLinesAsync(Path.Combine(Data, "postmaster.pid"), ct))[0];
        // The children are read while the one that makes them rests.
        const string all = """
            [[ $2 == CONT ]] || kill -s STOP "$1"
            kill -s "$2" "$1" $(<"/proc/$1/task/$1/children")
            while [[ $2 == KILL ]] && kill -s 0 "$1" 2>/dev/null; do sleep 0.05; done
            """;
        await RunAsync("timeout", ["30", "bash", "-c", all, "bash", main, signal], ct);
    }

    /// <summary>Takes all that is left of its disk.</summary>
    public Task FillDiskAsync(CancellationToken ct) =>
        RunAsync("bash", ["-c", "! cat /dev/zero >\"$1\" 2>/dev/null", "bash", Ballast], ct);

    /// <summary>Gives the disk back, and starts the server where it gave up meanwhile, as its operator would.</summary>
    public async Task EmptyDiskAsync(CancellationToken ct)
    {
        File.Delete(Ballast);
        // Without room for its write-ahead log it ends, at once or when it cannot recover; there is room again now.
        const string untilItAnswers = """
            until "$1/pg_isready" -q -h 127.0.0.1 -p "$2"; do
              "$1/pg_ctl" -D "$3" status || "$1/pg_ctl" -D "$3" -w -t 60 -l "$4" -o "$5" start || true
              sleep 0.2
            done
            """;
        await RunAsync(
            "runuser",
            [
                "-u", "postgres", "--", "timeout", "90", "bash", "-c", untilItAnswers, "bash", _programs, $"{_port}",
                Data, Log, ServerOptions,
            ], ct);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await ControlAsync(["-m", "immediate", "stop"], CancellationToken.None);
        if (_hasSmallDisk) await RunAsync("umount", [_folder], CancellationToken.None);
        Directory.Delete(_folder, recursive: true);
    }

    private static string Programs() =>
        Directory.GetDirectories("/usr/lib/postgresql").Select(version => Path.Combine(version, "bin"))
            .Where(bin => File.Exists(Path.Combine(bin, "pg_ctl")))
            .OrderByDescending(bin => int.Parse(
                Path.GetFileName(Path.GetDirectoryName(bin)!), CultureInfo.InvariantCulture))
            .First();

    private Task StartServerAsync(CancellationToken ct) => ControlAsync(
        ["-l", Log, "-o", ServerOptions, "start"], ct);

    private Task ControlAsync(string[] arguments, CancellationToken ct) =>
        RunAsOwnerAsync("pg_ctl", ["-D", Data, "-w", "-t", "60", .. arguments], ct);

    // PostgreSQL refuses to run as root.
    private Task RunAsOwnerAsync(string program, string[] arguments, CancellationToken ct)
    {
        var path = Path.Combine(_programs, program);
        return Environment.IsPrivilegedProcess
            ? RunAsync("runuser", ["-u", "postgres", "--", path, .. arguments], ct)
            : RunAsync(path, arguments, ct);
    }

    private static async Task RunAsync(string program, string[] arguments, CancellationToken ct)
    {
        // Without a pipe: the server that pg_ctl leaves behind would hold it open.
        var start = new ProcessStartInfo("bash", ["-c", "exec \"$@\" >/dev/null", "bash", program, .. arguments])
        {
            WorkingDirectory = Path.GetTempPath(),
        };
        using var process = Process.Start(start)!;
        await process.WaitForExitAsync(ct);
        if (process.ExitCode != 0)
        {
            throw new InvalidOperationException($"{program} ended with code {process.ExitCode}.");
        }
    }
}
