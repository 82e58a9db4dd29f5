using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using CapaEngine.Integration.Infrastructure;

namespace CapaEngine.Integration.Messages;

/// <summary>The programs of <c>tests/messages/consumer</c>, in a copy with their packages installed.</summary>
internal sealed class NodePrograms : IAsyncDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("capa-test-consumer-").FullName;

    /// <summary>Copies the programs and installs what their lock file names.</summary>
    public static async Task<NodePrograms> InstallAsync(CancellationToken ct)
    {
        var programs = new NodePrograms();
        var source = Path.Combine(ServiceProcess.RepositoryRoot(), "tests/messages/consumer");
        foreach (var file in Directory.EnumerateFiles(source))
            File.Copy(file, Path.Combine(programs.folder, Path.GetFileName(file)));
        await using var npm = programs.Start(
            "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier");
        await npm.EndAsync(ct);
        return programs;
    }

    /// <summary>Starts a program with Node.js.</summary>
    public NodeProgram StartNode(params string[] arguments) => Start("node", arguments);

    public ValueTask DisposeAsync()
    {
        Directory.Delete(folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    private NodeProgram Start(string command, params string[] arguments)
    {
        try
        {
            return new NodeProgram(Process.Start(new ProcessStartInfo(command, arguments)
            {
                WorkingDirectory = folder, UseShellExecute = false, RedirectStandardInput = true,
                RedirectStandardOutput = true, RedirectStandardError = true,
            })!);
        }
        catch (Win32Exception missing)
        {
            throw new InvalidOperationException($"{command} is missing: run the tests with './capa test'.", missing);
        }
    }
}

/// <summary>A running program, its lines as they come.</summary>
internal sealed class NodeProgram : IAsyncDisposable
{
    private readonly Process process;

    public NodeProgram(Process process)
    {
        this.process = process;
        process.OutputDataReceived += (_, line) => Keep(Lines, line.Data);
        process.ErrorDataReceived += (_, line) => Keep(Remarks, line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    /// <summary>What it printed.</summary>
    public ConcurrentQueue<string> Lines { get; } = new();

    /// <summary>What it said on the side.</summary>
    public ConcurrentQueue<string> Remarks { get; } = new();

    /// <summary>Writes to its standard input.</summary>
    public Task TellAsync(string text, CancellationToken ct) =>
        process.StandardInput.WriteAsync(text.AsMemory(), ct);

    /// <summary>Ends its input and waits until it is done; fails where it does not end well.</summary>
    public async Task EndAsync(CancellationToken ct)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(ct);
        limit.CancelAfter(TimeSpan.FromMinutes(1));
        process.StandardInput.Close();
        await process.WaitForExitAsync(limit.Token);
        if (process.ExitCode != 0)
            throw new InvalidOperationException(
                $"{process.StartInfo.FileName} ended with {process.ExitCode}: {string.Join('\n', Remarks)}");
    }

    public ValueTask DisposeAsync()
    {
        if (!process.HasExited) process.Kill(entireProcessTree: true);
        process.Dispose();
        return ValueTask.CompletedTask;
    }

    private static void Keep(ConcurrentQueue<string> lines, string? line)
    {
        if (line is not null) lines.Enqueue(line);
    }
}
