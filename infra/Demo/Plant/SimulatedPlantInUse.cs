using System.Globalization;
using CapaEngine.Demo.Api;
using CapaEngine.Demo.Cases;

namespace CapaEngine.Demo.Plant;

/// <summary>
/// The plant that the system already holds, or one that ends today: a play on a later day must repeat the history that
/// was played first, not begin a second one beside it.
/// </summary>
public static class SimulatedPlantInUse
{
    /// <summary>The plant to play. The day of its alarm storm in the register tells when its history ends.</summary>
    public static async Task<SimulatedPlant> FindAsync(CapaApi api, int seed, CancellationToken ct)
    {
        var today = TimeProvider.System.GetUtcNow().UtcDateTime.Date;
        var plant = new SimulatedPlant(seed, new DateTimeOffset(today, TimeSpan.Zero));
        var storm = PlantStories.Of(plant).Single(story => story.End == StoryEnd.ClosedWithoutCapa);
        var played = await new CaseDesk(api, TimeProvider.System).FindCaseAsync(storm.Subject, ct);
        if (played is null) return plant;
        var day = DateTimeOffset.Parse((string)played["detectedAt"]!, CultureInfo.InvariantCulture).UtcDateTime.Date;
        return plant with
        {
            Until = new DateTimeOffset(day, TimeSpan.Zero).AddDays(SimulatedPlant.DayCount - SimulatedPlant.StormDay),
        };
    }
}
