using CapaEngine.Hosting;
using CapaEngine.Nonconformities.Intake.Amqp;
using CapaEngine.Nonconformities.Intake.Mapping;
using Microsoft.Extensions.Options;

namespace CapaEngine.Nonconformities.Intake;

/// <summary>Adds the ways in for machine events.</summary>
internal static class IntakeRegistration
{
    /// <summary>Takes machine events over HTTP and from the broker.</summary>
    public static WebApplicationBuilder AddMachineIntake(this WebApplicationBuilder builder, string serviceName)
    {
        builder.AddBus(serviceName);
        builder.Services.Configure<IntakeOptions>(builder.Configuration.GetSection(IntakeOptions.Section));
        builder.Services.AddSingleton<IntakeLog>();
        builder.Services.AddSingleton<Mappings>();
        builder.Services.AddHostedService(services => services.GetRequiredService<Mappings>());
        builder.Services.AddSingleton(services =>
        {
            var mappings = services.GetRequiredService<Mappings>();
            return new MessageReader(() => mappings.Current);
        });
        builder.Services.AddSingleton<MachineIntake>();
        builder.Services.AddSingleton(services => new IntakeRoom(
            services.GetRequiredService<IOptions<IntakeOptions>>().Value.RequestBytesMax));
        builder.Services.AddSingleton<Senders>();
        builder.Services.AddSingleton<Replays>();
        builder.Services.AddSingleton<AmqpSenders>();
        builder.Services.AddSingleton<DeviationQueue>();
        builder.Services.AddHostedService(services => services.GetRequiredService<DeviationQueue>());
        builder.Services.AddHealthChecks()
            .AddCheck<DeviationQueue>("deviation-queue", tags: [Health.ReadyTag])
            .AddCheck<Mappings>("mappings", tags: [Health.ReadyTag]);
        return builder;
    }
}
