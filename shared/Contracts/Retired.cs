namespace CapaEngine.Contracts;

/// <summary>
/// Event shapes of the past and the way each becomes today's. Nothing else in the code knows the past; stored bytes
/// are never rewritten. No shape has been retired yet, so every event is today's.
/// </summary>
public static class Retired
{
    /// <summary>Today's shape of <paramref name="stored"/>.</summary>
    public static object Upcast(object stored) => stored;
}
