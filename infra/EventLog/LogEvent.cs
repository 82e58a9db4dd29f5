namespace CapaEngine.EventLog;

/// <summary>An event that somebody wants to append.</summary>
internal sealed record ProposedEvent(
    Guid Id, string Type, bool IsJson, ReadOnlyMemory<byte> Data, ReadOnlyMemory<byte> Metadata)
{
    /// <summary>
    /// What counts towards the limit of an append: both bodies, and the type in UTF-16. Servers of the protocol up to
    /// 24.6 count only the data; what fits here fits there.
    /// </summary>
    public int Bytes => Data.Length + Metadata.Length + (2 * Type.Length);
}

/// <summary>An event with its place in the log.</summary>
internal sealed record LogEvent(
    long Position, string Stream, long Revision, Guid Id, string Type, bool IsJson, DateTime Created,
    ReadOnlyMemory<byte> Data, ReadOnlyMemory<byte> Metadata)
{
    public int Bytes => Data.Length + Metadata.Length;
}

/// <summary>The names that the protocol reserves.</summary>
internal static class SystemNames
{
    public const string MetadataPrefix = "$$";
    public const string MetadataType = "$metadata";
    public const string TombstoneType = "$streamDeleted";

    /// <summary>The name of the whole log, where rights to read it are meant.</summary>
    public const string All = "$all";

    /// <summary>The stream whose last event holds the access lists of streams that have none.</summary>
    public const string Settings = "$settings";

    /// <summary>The revision of a tombstone: no event can follow it.</summary>
    public const long TombstoneRevision = long.MaxValue;

    public static string MetadataStreamOf(string stream) => MetadataPrefix + stream;

    /// <summary>The stream whose metadata these are; null if it is no stream of metadata.</summary>
    public static string? StreamOfMetadata(string stream) =>
        stream.StartsWith(MetadataPrefix, StringComparison.Ordinal) ? stream[MetadataPrefix.Length..] : null;
}
