namespace CapaEngine.Specs.Pipeline;

/// <summary>What can go wrong in a simulated world.</summary>
internal enum Fault
{
    /// <summary>The store refuses an append for now.</summary>
    StoreBusy,

    /// <summary>An append never arrives, and nobody knows.</summary>
    AppendLost,

    /// <summary>An append arrives after its sender has been told that nobody knows.</summary>
    AppendLate,

    /// <summary>An append is written; the answer is lost.</summary>
    AppendAnswerLost,

    /// <summary>A read breaks off.</summary>
    ReadFails,

    /// <summary>A subscription ends with an error.</summary>
    SubscriptionCut,

    /// <summary>The broker refuses a batch.</summary>
    PublishRefused,

    /// <summary>A batch never arrives; no confirm comes.</summary>
    PublishLost,

    /// <summary>A batch arrives; the confirm does not.</summary>
    ConfirmLost,

    /// <summary>A batch arrives seconds later, perhaps after its repetition.</summary>
    PublishDelayed,

    /// <summary>A queue loses a message.</summary>
    MessageLost,

    /// <summary>A message is delivered twice.</summary>
    MessageRepeated,

    /// <summary>A message overtakes others.</summary>
    MessageReordered,

    /// <summary>A consumer's channel is cut: what it works on goes to another, while it works on.</summary>
    ChannelCut,

    /// <summary>Somebody purges a queue.</summary>
    QueuePurged,

    /// <summary>A transaction is rolled back.</summary>
    TransactionFails,

    /// <summary>A transaction is committed; the answer is lost.</summary>
    CommitAnswerLost,

    /// <summary>kill -9.</summary>
    Crash,

    /// <summary>SIGSTOP for some seconds.</summary>
    Pause,

    /// <summary>Another candidate becomes the leader.</summary>
    OfficeMoves,

    /// <summary>Another candidate leads while the old leader does not know.</summary>
    SplitBrain,

    /// <summary>A wall clock is set.</summary>
    ClockStepped,

    /// <summary>Somebody sends what was sent before.</summary>
    SentTwice,
}

/// <summary>
/// Which faults exist in a world, and how often each hits: half of them do not exist at all, so that others are seen
/// to act together for long.
/// </summary>
internal sealed class Faults
{
    private const double RateMax = 0.15;

    // Of the faults that befall a process or a queue at any step, only so many a step.
    private const double RateMaxOfRare = 0.012;

    private readonly Schedule schedule;
    private readonly double[] rates;

    public Faults(Schedule schedule)
    {
        this.schedule = schedule;
        rates = [.. Enum.GetValues<Fault>().Select(fault =>
        {
            var isRare = fault is Fault.Crash or Fault.Pause or Fault.OfficeMoves or Fault.SplitBrain
                or Fault.ClockStepped or Fault.QueuePurged or Fault.ChannelCut;
            var rate = schedule.Choice.NextDouble() * (isRare ? RateMaxOfRare : RateMax);
            return schedule.Chance(0.5) ? rate : 0;
        })];
    }

    /// <summary>From now on nothing goes wrong any more.</summary>
    public bool AreOver { get; set; }

    /// <summary>Which faults exist in this world.</summary>
    public IEnumerable<Fault> Existing => Enum.GetValues<Fault>().Where(fault => rates[(int)fault] > 0);

    /// <summary>Whether the fault hits now.</summary>
    public bool Hit(Fault fault, string whom)
    {
        if (AreOver || !schedule.Chance(rates[(int)fault])) return false;
        schedule.Tell(whom, $"FAULT {fault}");
        return true;
    }
}
