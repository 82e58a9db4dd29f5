using System.Globalization;

namespace CapaEngine.Demo.Playing;

/// <summary>
/// What the demonstration says while it runs: a bar that fills on a terminal, a line every few seconds elsewhere.
/// </summary>
public sealed class Report(TextWriter output, bool isTerminal, TimeProvider clock)
{
    private const int BarWidth = 30;
    private static readonly TimeSpan LineEvery = TimeSpan.FromSeconds(3);
    private readonly long started = clock.GetTimestamp();
    private TimeSpan lastLine = -LineEvery;
    private bool barIsOpen;

    /// <summary>Says a line.</summary>
    public void Say(string line = "")
    {
        if (barIsOpen) output.WriteLine();
        barIsOpen = false;
        output.WriteLine(line);
        output.Flush();
    }

    /// <summary>Shows how far something has come.</summary>
    public void Progress(string what, long done, long all)
    {
        var elapsed = clock.GetElapsedTime(started);
        var isComplete = done >= all;
        if (!isTerminal && !isComplete && elapsed - lastLine < LineEvery) return;
        lastLine = elapsed;
        var share = all == 0 ? 1 : Math.Min(1, (double)done / all);
        var filled = (int)(share * BarWidth);
        var line = string.Create(CultureInfo.InvariantCulture,
            $"  [{new string('#', filled)}{new string('.', BarWidth - filled)}] {done,6:N0} of {all:N0} {what}");
        if (!isTerminal)
        {
            Say(line);
            return;
        }

        output.Write($"\r{line}");
        output.Flush();
        barIsOpen = true;
        if (isComplete) Say();
    }
}
