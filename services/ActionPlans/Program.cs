using CapaEngine.ActionPlans;
using CapaEngine.ActionPlans.Domain;
using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;

var builder = CapaService.CreateBuilder(args, ServiceNames.ActionPlans);

builder.Services.AddMediator();
builder.Services.AddSingleton(ActionPlan.Decider);
builder.Services.AddSingleton<DeciderHandler<ActionPlan, ActionPlanCommand, ActionPlanEvent>>();
builder.Services.AddSingleton(EffectivenessReview.Decider);
builder.Services.AddSingleton<DeciderHandler<EffectivenessReview, EffectivenessCommand, EffectivenessEvent>>();
builder.AddEvidence();
builder.Services.AddSingleton(RiskFiles.Load(builder.Configuration));

builder.AddProfiles();
builder.AddRelay(ServiceNames.ActionPlans);
builder.AddReactions<Reactions>(ServiceNames.ActionPlans);
builder.AddNumbering(
    ServiceNames.ActionPlans, new NumberSeries(Families.ActionPlan, Families.CapaNumbers, "CAPA"));

var app = builder.Build();
app.UseCapaService();
app.MapActionPlans();
app.MapEffectivenessReviews();
app.MapParkedEvents(ServiceNames.ActionPlans);
await app.RunAsync();
