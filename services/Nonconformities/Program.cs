using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using CapaEngine.Nonconformities;
using CapaEngine.Nonconformities.Concessions;
using CapaEngine.Nonconformities.Domain;
using CapaEngine.Nonconformities.Intake;
using CapaEngine.Nonconformities.Intake.Mapping;
using CapaEngine.Nonconformities.Merges;
using CapaEngine.Nonconformities.Triage;

const string Service = ServiceNames.Nonconformities;
var builder = CapaService.CreateBuilder(args, Service);
builder.Services.AddMediator(options => options.ServiceLifetime = ServiceLifetime.Singleton);
builder.Services.AddSingleton(Nonconformity.Decider);
builder.Services.AddSingleton<DeciderHandler<Nonconformity, NonconformityCommand, NonconformityEvent>>();
builder.Services.AddSingleton(Concession.Decider);
builder.Services.AddSingleton<DeciderHandler<Concession, ConcessionCommand, ConcessionEvent>>();
builder.Services.AddSingleton(SentDeviation.Decider);
builder.Services.AddSingleton<DeciderHandler<SentDeviation, DeviationCommand, DeviationEvent>>();
builder.Services.AddSingleton(QuarantinedItem.Decider);
builder.Services.AddSingleton<DeciderHandler<QuarantinedItem, QuarantineCommand, QuarantineEvent>>();
builder.Services.AddSingleton<ConcessionDraws>();
builder.Services.AddSingleton<ConcessionClock>();
builder.Services.AddSingleton<CaseMerges>();
builder.Services.AddSingleton<Signatures>();
builder.Services.AddSingleton<CaseOpening>();
builder.Services.AddSingleton<TriagePolicies>();
builder.Services.AddSingleton<TriageWork>();
builder.Services.AddSingleton(TriagePolicy.Decider);
builder.Services.AddSingleton<DeciderHandler<TriagePolicy, TriagePolicyCommand, TriagePolicyEvent>>();
builder.Services.AddSingleton<TriageWhatIf>();

builder.AddMachineIntake(Service);
builder.AddProfiles();
builder.AddRelay(Service);
builder.AddReactions<Reactions>(Service);
builder.AddNumbering(Service, new NumberSeries(Families.Nonconformity, Families.NonconformityNumbers, "NC"));
builder.AddLeader("triage", Service, services => services.GetRequiredService<TriageWork>().RunAsync);
builder.AddLeader("concessions", Service, services => services.GetRequiredService<ConcessionClock>().RunAsync);

var app = builder.Build();
// A wrong mapping stops the start here, before anything listens.
app.Services.GetRequiredService<Mappings>();
app.UseCapaService();
app.MapApi();
app.MapParkedEvents(ServiceNames.Nonconformities);
await app.RunAsync();
