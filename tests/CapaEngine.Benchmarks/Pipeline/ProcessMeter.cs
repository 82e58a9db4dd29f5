using System.Globalization;

namespace CapaEngine.Benchmarks.Pipeline;

/// <summary>
/// Processor time and memory of the processes that take part, from <c>/proc</c>. PostgreSQL is a family of processes,
/// and counts as one.
/// </summary>
internal sealed class ProcessMeter(IReadOnlyDictionary<string, int> processIds)
{
    private const double TicksPerSecond = 100;
    private const int ParentField = 1;
    private const int UserTimeField = 11;

    // user, nice, system, (idle, iowait,) irq, softirq
    private static readonly int[] BusyFields = [1, 2, 3, 6, 7];

    /// <summary>Seconds of processor time so far, by name; <c>machine</c> is what all programs used.</summary>
    public Dictionary<string, double> CpuSeconds()
    {
        var families = Families();
        var cpu = processIds.ToDictionary(part => part.Key, part => families[part.Value].Sum(CpuSecondsOf));
        var machine = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        cpu["machine"] = BusyFields
            .Sum(field => double.Parse(machine[field], CultureInfo.InvariantCulture)) / TicksPerSecond;
        return cpu;
    }

    /// <summary>
    /// The most memory each had at a time, in MB. Of PostgreSQL, whose processes share most of theirs: what each has
    /// for itself now, and once what is shared.
    /// </summary>
    public Dictionary<string, double> MemoryMb()
    {
        var families = Families();
        return processIds.ToDictionary(part => part.Key, part =>
        {
            var members = families[part.Value];
            return members.Count == 1
                ? StatusKb(members[0], "VmHWM:") / 1024
                : (members.Sum(member => StatusKb(member, "RssAnon:"))
                    + members.Max(member => StatusKb(member, "RssShmem:"))) / 1024;
        });
    }

    // Each process with those it started itself, save those that are counted under a name of their own.
    private Dictionary<int, List<int>> Families()
    {
        var families = processIds.Values.ToDictionary(id => id, id => new List<int> { id });
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var id)
                && !families.ContainsKey(id) && StatOf(id) is { } stat
                && families.TryGetValue(int.Parse(stat[ParentField], CultureInfo.InvariantCulture), out var family))
                family.Add(id);
        }

        return families;
    }

    // Own time, and that of children that have ended.
    private static double CpuSecondsOf(int id) => StatOf(id) is { } stat
        ? Enumerable.Range(UserTimeField, 4).Sum(n => double.Parse(stat[n], CultureInfo.InvariantCulture))
            / TicksPerSecond
        : 0;

    // The fields behind the name, which may hold spaces; null for a process that is gone.
    private static string[]? StatOf(int id)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{id}/stat");
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static double StatusKb(int id, string field)
    {
        try
        {
            var line = File.ReadLines($"/proc/{id}/status").FirstOrDefault(line => line.StartsWith(field));
            return line is null ? 0 : double.Parse(line[field.Length..^2], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
