using CapaEngine.Hosting;
using CapaEngine.Kernel;

namespace CapaEngine.Nonconformities.Intake;

/// <summary>What a caller may send, by their token and by whether this installation takes history.</summary>
public sealed class Senders(IServiceProvider services)
{
    private readonly bool takesHistory = History.IsTaken(services);

    /// <summary>The caller as a sender.</summary>
    public Sender Of(Actor actor) =>
        new(actor, actor.Source, takesHistory && actor.Roles.Contains(Roles.Importer));
}
