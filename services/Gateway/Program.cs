using CapaEngine.Gateway;
using CapaEngine.Hosting;

var builder = CapaService.CreateBuilder(args, "gateway");
var destinations = Destinations.From(builder.Configuration);
builder.AddProxy(destinations);
builder.AddMergedApi(destinations);
var issuer = builder.AddDevelopmentIssuer();

var app = builder.Build();
app.UseCapaService(describesItself: false);
app.MapMergedApi();
app.MapLandingPage();
app.MapProxy();
if (issuer is not null) app.MapDevelopmentIssuer(issuer);
await app.RunAsync();
