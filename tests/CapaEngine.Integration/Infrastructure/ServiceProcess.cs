using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace CapaEngine.Integration.Infrastructure;

/// <summary>
/// A program of the product, started as the operator starts it (<c>dotnet CapaEngine.X.dll</c> and environment
/// variables). Its output is kept in <see cref="LogFile"/>; it is ended by its process id, at the latest on disposal.
/// </summary>
public sealed class ServiceProcess : IAsyncDisposable
{
    // Below the range from which the system takes the ports of outgoing connections, so that nobody's client socket
    // sits on a port between a kill and a restart.
    private const int PortMin = 12_000;
    private const int PortMax = 30_000;
    private static readonly HashSet<int> PortsHandedOut = [];
    private static readonly HttpClient Probe = new() { Timeout = TimeSpan.FromSeconds(2) };

    private readonly Process _process;
    private readonly StreamWriter _log;

    private ServiceProcess(Process process, StreamWriter log, string logFile)
    {
        _process = process;
        _log = log;
        LogFile = logFile;
    }

    /// <summary>Everything the process wrote to its standard output and error.</summary>
    public string LogFile { get; }

    /// <summary>The id by which the process is signalled and killed.</summary>
    public int ProcessId => _process.Id;

    /// <summary>True once the process has ended, for whatever reason.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>A loopback port that nobody listens on and that this test run has not handed out before.</summary>
    public static int FreePort()
    {
        for (var attempt = 0; attempt < 1_000; attempt++)
        {
            var port = Random.Shared.Next(PortMin, PortMax);
            lock (PortsHandedOut)
            {
                if (!PortsHandedOut.Add(port))
                {
                    continue;
                }
            }

            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Somebody else's server: try another port.
            }
        }

        throw new InvalidOperationException($"No free port between {PortMin} and {PortMax}.");
    }

    /// <summary>
    /// The built assembly of a project, e.g. <c>infra/EventLog</c>, in the configuration this test was built in.
    /// </summary>
    public static string AssemblyOf(string projectFolder)
    {
        var output = new DirectoryInfo(AppContext.BaseDirectory);
        var configuration = output.Parent!.Name;
        var path = Path.Combine(
            RepositoryRoot(), projectFolder, "bin", configuration, output.Name,
            $"CapaEngine.{Path.GetFileName(projectFolder)}.dll");
        return File.Exists(path) ? path : throw new FileNotFoundException($"Build {projectFolder} first.", path);
    }

    /// <summary>The folder that holds the solution.</summary>
    public static string RepositoryRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "CapaEngine.sln")))
        {
            folder = folder.Parent ?? throw new DirectoryNotFoundException("CapaEngine.sln is in no parent folder.");
        }

        return folder.FullName;
    }

    /// <summary>Starts a project's program and returns at once.</summary>
    public static ServiceProcess Start(
        string projectFolder, IReadOnlyDictionary<string, string> environment, params string[] arguments)
    {
        var name = Path.GetFileName(projectFolder);
        var logFile = Path.Combine(Path.GetTempPath(), $"capa-test-{name}-{Guid.NewGuid():N}.log");
        var start = new ProcessStartInfo("dotnet", [AssemblyOf(projectFolder), .. arguments])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        start.Environment["DOTNET_ENVIRONMENT"] = "Development";
        foreach (var (key, value) in environment)
        {
            start.Environment[key] = value;
        }

        var log = new StreamWriter(logFile, append: false, Encoding.UTF8) { AutoFlush = true };
        var process = new Process { StartInfo = start };
        process.OutputDataReceived += (_, line) => Write(log, line.Data);
        process.ErrorDataReceived += (_, line) => Write(log, line.Data);
        process.Start();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return new ServiceProcess(process, log, logFile);
    }

    /// <summary>Starts a project's program and waits until <paramref name="ready"/> answers 200.</summary>
    public static async Task<ServiceProcess> StartReadyAsync(
        string projectFolder, IReadOnlyDictionary<string, string> environment, Uri ready, CancellationToken ct,
        TimeSpan? deadline = null)
    {
        var process = Start(projectFolder, environment);
        try
        {
            await process.WaitUntilReadyAsync(ready, deadline ?? TimeSpan.FromSeconds(30), ct);
            return process;
        }
        catch
        {
            await process.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits until the address answers 200; fails with the end of the log when it does not in time.</summary>
    public async Task WaitUntilReadyAsync(Uri ready, TimeSpan deadline, CancellationToken ct)
    {
        var started = Stopwatch.GetTimestamp();
        using var poll = new PeriodicTimer(TimeSpan.FromMilliseconds(50));
        while (!await AnswersOkAsync(ready, ct))
        {
            if (_process.HasExited || Stopwatch.GetElapsedTime(started) > deadline)
            {
                var state = _process.HasExited ? $"ended with code {_process.ExitCode}" : $"not ready in {deadline}";
                throw new InvalidOperationException($"{ready}: {state}\n{LogTail()}");
            }

            await poll.WaitForNextTickAsync(ct);
        }
    }

    /// <summary>Sends a signal (<c>TERM</c>, <c>STOP</c>, <c>CONT</c>) to this process alone.</summary>
    public async Task SignalAsync(string signal, CancellationToken ct)
    {
        using var kill = Process.Start("kill", ["-s", signal, ProcessId.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync(ct);
    }

    /// <summary>Asks the process to end and waits for it; its exit code.</summary>
    public async Task<int> StopAsync(TimeSpan deadline, CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(deadline);
        await SignalAsync("TERM", ct);
        await _process.WaitForExitAsync(limit.Token);
        return _process.ExitCode;
    }

    /// <summary>Ends the process as a power cut would (<c>kill -9</c>) and waits until it is gone.</summary>
    public async Task KillAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill();
        }

        await _process.WaitForExitAsync(CancellationToken.None);
    }

    /// <summary>The last lines of the log, for the message of a failed test.</summary>
    public string LogTail(int linesMax = 40)
    {
        lock (_log)
        {
            using var log = new StreamReader(
                new FileStream(LogFile, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
            return string.Join('\n', log.ReadToEnd().Split('\n').TakeLast(linesMax));
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await KillAsync();
        _process.Dispose();
        await _log.DisposeAsync();
    }

    private static async Task<bool> AnswersOkAsync(Uri ready, CancellationToken ct)
    {
        try
        {
            using var answer = await Probe.GetAsync(ready, ct);
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (Exception notYet) when (notYet is HttpRequestException or TaskCanceledException
                                       && !ct.IsCancellationRequested)
        {
            return false;
        }
    }

    private static void Write(StreamWriter log, string? line)
    {
        if (line is null)
        {
            return;
        }

        lock (log)
        {
            log.WriteLine(line);
        }
    }
}
