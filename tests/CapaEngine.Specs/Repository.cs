using System.Diagnostics;

namespace CapaEngine.Specs;

/// <summary>The checkout the tests were built from.</summary>
public static class Repository
{
    /// <summary>The folder that holds <c>CapaEngine.sln</c>.</summary>
    public static string Root { get; } = Find(AppContext.BaseDirectory);

    /// <summary>The files git tracks, relative to <see cref="Root"/>.</summary>
    public static IReadOnlyList<string> TrackedFiles()
    {
        using var git = Process.Start(new ProcessStartInfo("git", "ls-files -z")
        {
            WorkingDirectory = Root, RedirectStandardOutput = true, UseShellExecute = false,
        })!;
        var output = git.StandardOutput.ReadToEnd();
        git.WaitForExit();
        return [.. output.Split('\0', StringSplitOptions.RemoveEmptyEntries)
            .Where(file => File.Exists(Path.Combine(Root, file)))];
    }

    private static string Find(string? folder)
    {
        while (folder is not null && !File.Exists(Path.Combine(folder, "CapaEngine.sln")))
            folder = Path.GetDirectoryName(folder);
        return folder ?? throw new InvalidOperationException("The tests run outside a checkout.");
    }
}
