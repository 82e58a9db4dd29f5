using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.ReadModels;
using CapaEngine.ReadModels.AsOf;
using CapaEngine.ReadModels.Deadlines;
using CapaEngine.ReadModels.Rebuilding;
using CapaEngine.ReadModels.Reports;
using Npgsql;

if (RebuildCommands.IsNamedBy(args)) return await RebuildCommands.RunAsync(args);

var builder = CapaService.CreateBuilder(args, ServiceNames.ReadModels);
var postgres = builder.Configuration.GetConnectionString("Postgres")
    ?? throw new InvalidOperationException("ConnectionStrings:Postgres must name the database of the read models.");

// The same few statements run all the time: prepared once on each connection.
builder.Services.AddNpgsqlDataSource(new NpgsqlConnectionStringBuilder(postgres)
{
    ApplicationName = "capaengine-read-models",
    MaxAutoPrepare = 500,
    AutoPrepareMinUsages = 2,
}.ConnectionString);

// One line for each statement would drown everything else.
builder.Logging.AddFilter("Npgsql.Command", LogLevel.Warning);

foreach (var readModel in Projections.All) builder.Services.AddSingleton(readModel);

// Internal, so that a project that refers to this one has a mediator of its own.
builder.Services.AddMediator(options => options.GenerateTypesAsInternal = true);
builder.Services.AddSingleton<NonconformityQueries>();
builder.Services.AddSingleton<ConcessionQueries>();
builder.Services.AddSingleton<HoldQueries>();
builder.Services.AddSingleton<ActionBoardQueries>();
builder.Services.AddSingleton<RootCauseQueries>();
builder.Services.AddSingleton<EffectivenessQueries>();
builder.Services.AddSingleton<DossierQueries>();
builder.Services.AddSingleton<SimilarityQueries>();
builder.Services.AddSingleton<RuleQueries>();
builder.Services.AddReports();
builder.Services.AddSingleton<Evidence>();
builder.Services.AddSingleton<RevisionWait>();
builder.Services.AddSingleton<Moments>();
builder.AddEscalations();
builder.Services.AddSingleton<IReadModelTables, PostgresTables>();
builder.Services.AddSingleton<ParkedStreams>();
builder.Services.AddHealthChecks()
    .AddCheck<DatabaseProbe>("postgres", tags: [Health.ReadyTag])
    .AddCheck<ParkedStreams>("parked-streams", tags: [Health.ReadyTag])
    .AddCheck<ModelVersions>("model-versions", tags: [Health.ReadyTag]);

builder.Services.AddSingleton<Rebuild>();
builder.Services.AddSingleton<ModelVersions>();
builder.Services.AddHostedService(services => services.GetRequiredService<ModelVersions>());
builder.Services.AddSingleton<ParkedStreamsReplay>();
builder.Services.AddSingleton<IParkedEvents>(services => services.GetRequiredService<ParkedStreamsReplay>());
// Parked streams are read again before anything new arrives.
builder.Services.AddHostedService(services => services.GetRequiredService<ParkedStreamsReplay>());
builder.AddFollower<Projector>(
    Projector.FollowerName, [.. Projections.All.SelectMany(readModel => readModel.Families).Distinct()]);
builder.Services.AddHostedService<PublishedPositions>();
builder.AddRelay(ServiceNames.ReadModels);

var app = builder.Build();
await Schema.MigrateAsync(postgres, app.Logger, app.Lifetime.ApplicationStopping);
app.UseCapaService();
app.MapReadModels();
app.MapMaterial();
app.MapSimilarity();
app.MapEscalations();
app.MapRules();
app.MapReports();
app.MapParkedEvents(ServiceNames.ReadModels);
await app.RunAsync();
return 0;
