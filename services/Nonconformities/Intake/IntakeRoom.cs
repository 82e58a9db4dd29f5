namespace CapaEngine.Nonconformities.Intake;

/// <summary>How many bytes of requests are held in memory at the same time; who finds no room comes again.</summary>
public sealed class IntakeRoom(long bytesMax)
{
    private long bytesHeld;

    /// <summary>Takes room for a request, to be given back by disposal; null where there is none.</summary>
    public IDisposable? TryTake(long bytes)
    {
        if (Interlocked.Add(ref bytesHeld, bytes) <= bytesMax) return new Share(this, bytes);
        Interlocked.Add(ref bytesHeld, -bytes);
        return null;
    }

    private sealed class Share(IntakeRoom room, long bytes) : IDisposable
    {
        private long held = bytes;

        public void Dispose() => Interlocked.Add(ref room.bytesHeld, -Interlocked.Exchange(ref held, 0));
    }
}
