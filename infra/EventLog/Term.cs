using CapaEngine.EventLog.Reading;
using CapaEngine.EventLog.Writing;

namespace CapaEngine.EventLog;

/// <summary>One term of office of this node as the writer: everything that is true only while it lasts.</summary>
/// <param name="Ended">Cancelled when the term is over; whoever serves a client by this term stops then.</param>
internal sealed record Term(long Epoch, Writer Writer, LogTail Tail, LimitsOfStreams Limits, CancellationToken Ended);
