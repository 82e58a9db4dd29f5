using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Nonconformities.Intake;

namespace CapaEngine.Specs.Pipeline;

/// <summary>
/// An installation in one thread: two processes of each part of the pipeline, a log, a broker and a database. For a
/// while everything goes wrong that exists in this world; then nothing does, it becomes quiet, and the audit looks.
/// </summary>
internal sealed class SimulatedWorld
{
    private const int FaultyStepsMax = 1_500;
    private const int FaultyTimeMaxMs = 6_000;
    private const int LookPeriodMs = 500;
    private const int StepsMax = 30_000;
    private const long QuietTimeMaxMs = 600_000;
    private static readonly TimeSpan PauseMax = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan RestartTimeMax = TimeSpan.FromSeconds(5);

    private readonly List<Role> roles = [];
    private readonly List<Office> offices = [];
    private int startCount;

    public SimulatedWorld(int seed, Seams? seams = null, bool isTraced = false)
    {
        Seed = seed;
        Schedule = new Schedule(seed, isTraced);
        Faults = new Faults(Schedule);
        Log = new SimulatedLog(Schedule);
        Broker = new SimulatedBroker(Schedule, Faults);
        Database = new SimulatedDatabase();
        var parts = new SimulatedParts(this, seams ?? new Seams());
        Clients = new SimulatedClients(Schedule, Faults, Log, () => Pick(parts));
        Promises = new Promises(Log, Broker, Database, Clients, parts.Options.PartitionCount);
        Build(parts);
    }

    public int Seed { get; }

    public Schedule Schedule { get; }

    public Faults Faults { get; }

    public SimulatedLog Log { get; }

    public SimulatedBroker Broker { get; }

    public SimulatedDatabase Database { get; }

    public SimulatedClients Clients { get; }

    public Promises Promises { get; }

    /// <summary>Lives through the faults to the quiet after them. Throws where a promise is broken.</summary>
    public void Run()
    {
        CapaEngine.Kernel.Chance.Seed(new Random(Seed));
        var outside = SynchronizationContext.Current;
        try
        {
            Live();
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(outside);
            CapaEngine.Kernel.Chance.Seed(null);
        }
    }

    private void Live()
    {
        var faultyMs = Schedule.Choice.Next(1, FaultyTimeMaxMs);
        while (Schedule.NowMs < faultyMs && Schedule.StepCount < FaultyStepsMax && Schedule.Step()) Harm();
        Faults.AreOver = true;
        foreach (var role in roles) role.Process.Wake();
        Schedule.Tell("world", "nothing goes wrong any more");
        var (audit, lookAt) = (new Audit(this), 0L);
        for (var until = Schedule.NowMs + QuietTimeMaxMs; ;)
        {
            if (!Schedule.Step()) break;
            if (Schedule.NowMs >= lookAt && audit.Unfinished() is null) break;
            if (Schedule.NowMs >= lookAt) lookAt = Schedule.NowMs + LookPeriodMs;
            if (Schedule.StepCount > StepsMax || Schedule.NowMs > until)
                throw new PromiseBrokenException("gets-quiet", audit.Unfinished() ?? "it goes on for nothing");
        }

        audit.Check();
    }

    private void Build(SimulatedParts parts)
    {
        foreach (var service in new[] { ServiceNames.Nonconformities, ServiceNames.ActionPlans })
            AddOffice($"relay of {service}", parts.Options, process => parts.Relay(process, service));
        AddOffice("triage", parts.Options, parts.Triage);
        foreach (var n in new[] { 1, 2 })
        {
            Add($"intake-{n}", _ => { });
            Add($"projector-{n}", parts.StartProjector);
            Add($"reactor-{n}", parts.StartReactor);
        }
    }

    private void AddOffice(
        string name, PipelineOptions options, Func<SimulatedProcess, Func<CancellationToken, Task>> workOf)
    {
        var office = new Office(Schedule, name, options, workOf);
        offices.Add(office);
        foreach (var n in new[] { 1, 2 }) Add($"{name} {n}", office.Join, office.Leave);
    }

    private void Add(string name, Action<SimulatedProcess> start, Action<SimulatedProcess>? onDeath = null)
    {
        var role = new Role(name, start, onDeath, NewProcess(name));
        roles.Add(role);
        start(role.Process);
    }

    private SimulatedProcess NewProcess(string name) => new(Schedule, $"{name}#{++startCount}");

    private (SimulatedProcess, IntakeLog) Pick(SimulatedParts parts)
    {
        var intakes = roles.FindAll(role => role.Name.StartsWith("intake", StringComparison.Ordinal));
        var process = intakes[Schedule.Choice.Next(intakes.Count)].Process;
        return (process, parts.Intake(process));
    }

    // Of the things that befall a process, a queue or an office, some at every step.
    private void Harm()
    {
        var role = roles[Schedule.Choice.Next(roles.Count)];
        if (Faults.Hit(Fault.Crash, role.Process.Name)) Crash(role);
        if (Faults.Hit(Fault.Pause, role.Process.Name)) role.Process.Pause(PauseMax * Schedule.Choice.NextDouble());
        if (Faults.Hit(Fault.ClockStepped, role.Process.Name))
            role.Process.Skew = TimeSpan.FromMinutes(Schedule.Choice.Next(-60, 60));
        var office = offices[Schedule.Choice.Next(offices.Count)];
        if (Faults.Hit(Fault.OfficeMoves, "an office")) office.Move(overlaps: false);
        if (Faults.Hit(Fault.SplitBrain, "an office")) office.Move(overlaps: true);
        if (Broker.Queues is not { Count: > 0 } queues) return;
        var queue = queues[Schedule.Choice.Next(queues.Count)];
        if (Faults.Hit(Fault.QueuePurged, queue.Name)) queue.Purge();
        if (Faults.Hit(Fault.ChannelCut, queue.Name)) queue.Cut();
    }

    private void Crash(Role role)
    {
        var dead = role.Process;
        dead.Kill();
        role.Process = NewProcess(role.Name);
        var started = role.Process;
        foreach (var queue in Broker.Queues) queue.Detach(dead);
        role.OnDeath?.Invoke(dead);
        Schedule.After(RestartTimeMax * Schedule.Choice.NextDouble(), $"{started.Name} starts", () =>
        {
            if (role.Process == started) role.Start(started);
        });
    }

    private sealed class Role(
        string name, Action<SimulatedProcess> start, Action<SimulatedProcess>? onDeath, SimulatedProcess process)
    {
        public string Name { get; } = name;
        public Action<SimulatedProcess> Start { get; } = start;
        public Action<SimulatedProcess>? OnDeath { get; } = onDeath;
        public SimulatedProcess Process { get; set; } = process;
    }
}
