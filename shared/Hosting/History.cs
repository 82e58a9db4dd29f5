using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace CapaEngine.Hosting;

/// <summary>Whether importers may state what happened elsewhere or before: on in Development, else by choice.</summary>
public static class History
{
    /// <summary>Whether this installation takes history.</summary>
    public static bool IsTaken(IServiceProvider services) =>
        services.GetRequiredService<IConfiguration>().GetValue<bool?>("History:Enabled")
        ?? services.GetRequiredService<IHostEnvironment>().IsDevelopment();
}
