using System.Text.Json;
using CapaEngine.ActionPlans.Domain;
using CapaEngine.Contracts;

namespace CapaEngine.ActionPlans;

/// <summary>Reads the risk tables: those beside the program, or those that the configuration names.</summary>
public static class RiskFiles
{
    /// <summary>
    /// The tables of <c>Risk:MatrixFile</c> and <c>Risk:ActionPriorityFile</c>. Throws where a file is missing, is not
    /// what it should be, or leaves a rating without an answer.
    /// </summary>
    public static RiskTables Load(IConfiguration configuration)
    {
        var matrix = Read<RiskMatrix>(configuration["Risk:MatrixFile"] ?? Default("risk-matrix.json"));
        var priorities = Read<ActionPriorityTable>(
            configuration["Risk:ActionPriorityFile"] ?? Default("action-priority.json"));
        return (matrix.WhyIncomplete() ?? priorities.WhyIncomplete()) is { } gap
            ? throw new InvalidOperationException(gap)
            : new RiskTables(matrix, priorities);
    }

    private static string Default(string file) => Path.Combine(AppContext.BaseDirectory, "Risk", file);

    private static T Read<T>(string path) =>
        JsonSerializer.Deserialize<T>(File.ReadAllBytes(path), StrictJson.Requests)
            ?? throw new InvalidOperationException($"{path} holds no table.");
}
