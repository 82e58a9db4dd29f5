using CapaEngine.Contracts;
using CapaEngine.Gateway;
using CapaEngine.Gateway.Domain;
using CapaEngine.Hosting;
using CapaEngine.Kernel;

var builder = CapaService.CreateBuilder(args, ServiceNames.Gateway);
var destinations = Destinations.From(builder.Configuration);
builder.AddProxy(destinations);
builder.AddMergedApi(destinations);
var issuer = builder.AddDevelopmentIssuer();

FirstProfiles.Configured(builder.Configuration);
builder.Services.AddMediator(options => options.ServiceLifetime = ServiceLifetime.Singleton);
builder.Services.AddSingleton(ProfileVersions.Decider);
builder.Services.AddSingleton<DeciderHandler<ProfileVersions, ProfileCommand, ProfileEvent>>();
builder.Services.AddSingleton(SiteChoice.Decider);
builder.Services.AddSingleton<DeciderHandler<SiteChoice, SiteCommand, SiteEvent>>();
builder.AddProfiles();
builder.Services.AddHostedService<FirstProfiles>();
builder.AddRelay(ServiceNames.Gateway);

var app = builder.Build();
app.UseCapaService(describesItself: false);
app.MapMergedApi();
app.MapLandingPage();
app.MapProfiles();
app.MapProxy();
if (issuer is not null) app.MapDevelopmentIssuer(issuer);
await app.RunAsync();
