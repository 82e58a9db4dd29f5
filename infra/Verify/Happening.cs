using CapaEngine.Contracts;

namespace CapaEngine.Verify;

/// <summary>An event of a stream family, read.</summary>
/// <param name="StreamId">The id in the stream's name; empty where the family has one stream only.</param>
/// <param name="Position">The commit position.</param>
internal readonly record struct Happening(
    Family Family, string Stream, Guid StreamId, long Revision, ulong Position, Guid EventId, object Fact,
    EventMetadata Metadata);
