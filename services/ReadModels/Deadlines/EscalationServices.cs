using CapaEngine.Contracts;
using CapaEngine.Hosting;
using CapaEngine.Kernel;

namespace CapaEngine.ReadModels.Deadlines;

/// <summary>Adds deadlines, their escalation and its delivery to the service.</summary>
public static class EscalationServices
{
    /// <summary>One process of the service at a time raises escalations, and one sends.</summary>
    public static WebApplicationBuilder AddEscalations(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(EscalationPolicy.Decider);
        builder.Services.AddSingleton<
            DeciderHandler<EscalationPolicy, EscalationPolicyCommand, EscalationPolicyEvent>>();
        builder.AddProfiles();
        builder.Services.AddSingleton<DeadlineQueries>();
        builder.Services.AddSingleton<EscalationQueries>();
        builder.Services.AddSingleton<ProjectedStreams>();
        builder.Services.AddSingleton<EscalationClock>();
        return builder.AddLeader(
            "escalations", ServiceNames.ReadModels,
            services => services.GetRequiredService<EscalationClock>().RunAsync);
    }
}
