using System.Globalization;

namespace CapaEngine.Specs.Pipeline;

/// <summary>A promise of the pipeline did not hold.</summary>
internal sealed class PromiseBrokenException(string promise, string what) : Exception($"{promise}: {what}")
{
    /// <summary>The promise's name, as the audit lists it.</summary>
    public string Promise { get; } = promise;
}

/// <summary>
/// Everything that happens in a simulated world, one thing after another on one thread. Whatever could happen next is
/// chosen by the seed, and time passes only when nothing can happen: it then jumps to the next timer.
/// </summary>
internal sealed class Schedule(int seed, bool isTraced)
{
    /// <summary>Timers fire at multiples of this, so that several are due at a time and the seed orders them.</summary>
    private const long GridMs = 50;

    private readonly List<Entry> possible = [];
    private readonly PriorityQueue<SimulatedTimer, (long DueMs, long Order)> timers = new();
    private readonly List<string> trace = [];
    private readonly int thread = Environment.CurrentManagedThreadId;
    private long order;
    private ulong fingerprint = 14695981039346656037;
    private volatile string? escape;

    /// <summary>Every choice of the world comes from here.</summary>
    public Random Choice { get; } = new(seed);

    /// <summary>Simulated time since the start.</summary>
    public long NowMs { get; private set; }

    /// <summary>How many things have happened.</summary>
    public int StepCount { get; private set; }

    /// <summary>What happened, one line each; only where traced.</summary>
    public IReadOnlyList<string> Trace => trace;

    /// <summary>Differs where two runs differ in anything that was told.</summary>
    public ulong Fingerprint => fingerprint;

    /// <summary>Whether something happens with this probability.</summary>
    public bool Chance(double probability) => probability > 0 && Choice.NextDouble() < probability;

    /// <summary>Makes something possible; <paramref name="owner"/> is null outside the processes.</summary>
    public void Post(SimulatedProcess? owner, string what, SendOrPostCallback callback, object? state = null)
    {
        if (Environment.CurrentManagedThreadId != thread)
        {
            escape ??= $"{owner?.Name ?? "the world"}: {what} came from another thread.\n{Environment.StackTrace}";
            return;
        }

        possible.Add(new Entry(owner, what, callback, state));
    }

    /// <summary>Fires a timer later.</summary>
    public void Arm(SimulatedTimer timer, TimeSpan delay)
    {
        var due = NowMs + Math.Max(0, (long)Math.Ceiling(delay.TotalMilliseconds / GridMs) * GridMs);
        timer.DueMs = due;
        timers.Enqueue(timer, (due, order++));
    }

    /// <summary>Something happens after a time.</summary>
    public void After(TimeSpan delay, string what, Action action) =>
        Arm(new SimulatedTimer(this, null, what, _ => action(), null), delay);

    /// <summary>Tells what happens, for the trace and for the comparison of two runs.</summary>
    public void Tell(string who, string what)
    {
        foreach (var letter in who) Mix(letter);
        foreach (var letter in what) Mix(letter);
        Mix((ulong)NowMs);
        if (isTraced)
            trace.Add(string.Create(CultureInfo.InvariantCulture, $"{StepCount,6} {NowMs,7} ms  {who,-12} {what}"));
    }

    /// <summary>Whether something can happen without time passing.</summary>
    public bool IsBusy => possible.Exists(entry => entry.Owner is not { CanRun: false });

    /// <summary>Lets one thing happen; false where nothing ever can.</summary>
    public bool Step()
    {
        if (escape is { } found) throw new PromiseBrokenException("one-thread", found);
        while (true)
        {
            if (Take() is { } entry)
            {
                StepCount++;
                Tell(entry.Owner?.Name ?? "world", entry.What);
                SimulatedProcess.Enter(entry.Owner);
                entry.Callback(entry.State);
                SimulatedProcess.Enter(null);
                return true;
            }

            if (!JumpToNextTimer()) return false;
        }
    }

    private Entry? Take()
    {
        for (var tries = possible.Count; tries > 0 && possible.Count > 0;)
        {
            var index = Choice.Next(possible.Count);
            var entry = possible[index];
            if (entry.Owner is { IsAlive: false })
            {
                Remove(index);
                continue;
            }

            if (entry.Owner is not { CanRun: false })
            {
                Remove(index);
                return entry;
            }

            // A paused process: the others first.
            if (--tries > 0) continue;
            index = possible.FindIndex(other => other.Owner is not { CanRun: false });
            if (index < 0) return null;
            entry = possible[index];
            Remove(index);
            if (entry.Owner is not { IsAlive: false }) return entry;
            tries = possible.Count;
        }

        return null;
    }

    private void Remove(int index)
    {
        possible[index] = possible[^1];
        possible.RemoveAt(possible.Count - 1);
    }

    private bool JumpToNextTimer()
    {
        while (timers.TryDequeue(out var timer, out var due))
        {
            if (!timer.IsArmedFor(due.DueMs)) continue;
            NowMs = Math.Max(NowMs, due.DueMs);
            timer.Fire();
            while (timers.TryPeek(out var next, out var at) && at.DueMs <= NowMs)
            {
                timers.Dequeue();
                if (next.IsArmedFor(at.DueMs)) next.Fire();
            }

            return true;
        }

        return false;
    }

    private void Mix(ulong value) => fingerprint = (fingerprint ^ value) * 1099511628211;

    private readonly record struct Entry(
        SimulatedProcess? Owner, string What, SendOrPostCallback Callback, object? State);
}

/// <summary>A timer of a process, or of the world.</summary>
internal sealed class SimulatedTimer(
    Schedule schedule, SimulatedProcess? owner, string what, TimerCallback callback, object? state) : ITimer
{
    private TimeSpan period = Timeout.InfiniteTimeSpan;
    private bool isDisposed;

    /// <summary>When it fires; negative where it does not.</summary>
    public long DueMs { get; set; } = -1;

    /// <summary>Whether this is still the time for which it was set.</summary>
    public bool IsArmedFor(long dueMs) => !isDisposed && DueMs == dueMs && owner is not { IsAlive: false };

    /// <summary>It is time; what follows is one of the things that can happen now.</summary>
    public void Fire()
    {
        DueMs = -1;
        schedule.Post(owner, what, Call);
        if (period > TimeSpan.Zero) schedule.Arm(this, period);
    }

    /// <inheritdoc/>
    public bool Change(TimeSpan dueTime, TimeSpan period)
    {
        if (isDisposed) return false;
        this.period = period;
        DueMs = -1;
        if (dueTime != Timeout.InfiniteTimeSpan) schedule.Arm(this, dueTime);
        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => isDisposed = true;

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        isDisposed = true;
        return ValueTask.CompletedTask;
    }

    private void Call(object? _)
    {
        if (!isDisposed) callback(state);
    }
}
