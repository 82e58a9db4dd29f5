namespace CapaEngine.Kernel;

/// <summary>The end of what runs beside.</summary>
public static class Cancellation
{
    /// <summary>Cancels at once and on this thread; whoever waits goes on in its own turn.</summary>
    public static void End(this CancellationTokenSource running) => running.Cancel();
}
