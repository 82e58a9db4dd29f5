namespace CapaEngine.Specs.Pipeline;

/// <summary>
/// A process of the simulated world: what runs in it goes on only here, so that it can be paused, and killed between
/// any two awaits. What is killed never runs on, not even its <c>finally</c>; its successor is another process.
/// </summary>
internal sealed class SimulatedProcess : SynchronizationContext
{
    public static readonly DateTimeOffset Epoch = new(2026, 3, 1, 8, 0, 0, TimeSpan.Zero);

    private readonly Schedule schedule;

    public SimulatedProcess(Schedule schedule, string name)
    {
        (this.schedule, Name) = (schedule, name);
        Clock = new ProcessClock(this);
    }

    public string Name { get; }

    public bool IsAlive { get; private set; } = true;

    public bool IsPaused { get; private set; }

    /// <summary>Whether what it has to do can be done now; what a dead process had to do is thrown away.</summary>
    public bool CanRun => !IsAlive || !IsPaused;

    /// <summary>The clock as this process reads it.</summary>
    public TimeProvider Clock { get; }

    /// <summary>How far its wall clock is off.</summary>
    public TimeSpan Skew { get; set; }

    /// <summary>What runs from here on belongs to this process.</summary>
    public static void Enter(SimulatedProcess? process) => SetSynchronizationContext(process);

    public override void Post(SendOrPostCallback d, object? state) => schedule.Post(this, "goes on", d, state);

    public override void Send(SendOrPostCallback d, object? state) =>
        throw new NotSupportedException("Nothing in a simulated process waits for its thread.");

    public override SynchronizationContext CreateCopy() => this;

    /// <summary>Begins work in this process, at a time the seed chooses; nobody expects it to fail.</summary>
    public void Start(string what, Func<Task> work) => schedule.Post(this, what, _ => _ = RunAsync(what, work));

    public void Kill() => IsAlive = false;

    /// <summary>SIGSTOP: nothing of it runs until the time is over, while the world goes on.</summary>
    public void Pause(TimeSpan time)
    {
        if (IsPaused) return;
        IsPaused = true;
        schedule.After(time, $"{Name} wakes", Wake);
    }

    public void Wake() => IsPaused = false;

    private async Task RunAsync(string what, Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (Exception failure) when (failure is not PromiseBrokenException)
        {
            schedule.Post(null, "fails", _ => throw new PromiseBrokenException(
                "no-part-dies", $"{Name}, {what}: {failure}"));
        }
        catch (PromiseBrokenException broken)
        {
            schedule.Post(null, "fails", _ => throw new PromiseBrokenException(broken.Promise, broken.Message));
        }
    }

    private sealed class ProcessClock(SimulatedProcess process) : TimeProvider
    {
        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override DateTimeOffset GetUtcNow() => Epoch.AddMilliseconds(process.schedule.NowMs) + process.Skew;

        // Never zero, which some of the code under test takes for "never".
        public override long GetTimestamp() => (process.schedule.NowMs + 1) * TimeSpan.TicksPerMillisecond;

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = new SimulatedTimer(process.schedule, process, "a timer", callback, state);
            timer.Change(dueTime, period);
            return timer;
        }
    }
}
