using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;
using CapaEngine.RootCauses;
using CapaEngine.RootCauses.Domain;

var builder = CapaService.CreateBuilder(args, ServiceNames.RootCauses);

builder.Services.AddMediator();
builder.Services.AddSingleton(RootCauseAnalysis.Decider);
builder.Services.AddSingleton<DeciderHandler<RootCauseAnalysis, RootCauseCommand, RootCauseEvent>>();
builder.Services.AddSingleton(CauseCodeTree.Decider);
builder.Services.AddSingleton<DeciderHandler<CauseCodeTree, CauseCodesCommand, CauseCodesEvent>>();

builder.AddProfiles();
builder.AddRelay(ServiceNames.RootCauses);
builder.AddReactions<Reactions>(ServiceNames.RootCauses);

var app = builder.Build();
app.UseCapaService();
app.MapRootCauses();
app.MapCauseCodes();
app.MapParkedEvents(ServiceNames.RootCauses);
await app.RunAsync();
