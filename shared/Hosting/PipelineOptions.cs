using CapaEngine.Contracts;

namespace CapaEngine.Hosting;

/// <summary>Configuration of relays and followers, section <c>Pipeline</c>.</summary>
public sealed class PipelineOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Pipeline";

    /// <summary>How many partitions streams are spread over; the same in every process of an installation.</summary>
    public int PartitionCount { get; set; } = Partitions.CountDefault;

    /// <summary>A routing key without events says at least this often how far the log has been read.</summary>
    public int HeartbeatPeriodMs { get; set; } = 5_000;

    /// <summary>Checkpoints are written at most this often.</summary>
    public int CheckpointPeriodMs { get; set; } = 1_000;

    /// <summary>Without events a checkpoint is written at most this often, or it would feed itself.</summary>
    public int IdleCheckpointPeriodMs { get; set; } = 60_000;

    /// <summary>The broker's confirm is waited for this long; then the batch is published again.</summary>
    public int PublishDeadlineMs { get; set; } = 10_000;

    /// <summary>The longest pause between two attempts of a publish, an application or a leader's work.</summary>
    public int RetryDelayMsMax { get; set; } = 5_000;

    /// <summary>Events of one batch.</summary>
    public int BatchEventsMax { get; set; } = 100;

    /// <summary>Bytes of one batch; a single larger event makes a batch of its own.</summary>
    public int BatchBytesMax { get; set; } = 128 * 1024;

    /// <summary>Events a relay holds unconfirmed before it stops reading.</summary>
    public int BufferedEventsMax { get; set; } = 10_000;

    /// <summary>Bytes a relay holds unconfirmed before it stops reading.</summary>
    public int BufferedBytesMax { get; set; } = 16 * 1024 * 1024;

    /// <summary>Events a follower reads from the log before it applies them.</summary>
    public int CatchUpEventsMax { get; set; } = 5_000;

    /// <summary>How often a reaction that is not possible yet is tried before it is parked.</summary>
    public int ReactionAttemptsMax { get; set; } = 5;

    /// <summary>The first pause between two attempts of a reaction; each further one is twice as long.</summary>
    public int ReactionDelayMs { get; set; } = 100;

    /// <summary>Parked reactions are tried again this often.</summary>
    public int ParkedRetryPeriodMs { get; set; } = 60_000;

    /// <summary>Readiness speaks of a part that has made no progress for this long.</summary>
    public int StalledAfterMs { get; set; } = 30_000;
}
