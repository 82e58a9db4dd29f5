namespace CapaEngine.Specs.Demo;

/// <summary>The public data that lie beside the repository; without them the specs that need them fail.</summary>
public static class PublicData
{
    public const string Wafers = "secom_semiconductor_2008.csv.gz";
    public const string Recalls = "fda_device_recalls_2002_2013.csv.gz";

    /// <summary>The path of a file in the nearest <c>shared/data</c> above the tests.</summary>
    public static string File(string name)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var path = Path.Combine(folder.FullName, "shared", "data", name);
            if (System.IO.File.Exists(path)) return path;
        }

        throw new FileNotFoundException($"No folder above {AppContext.BaseDirectory} holds shared/data/{name}.");
    }
}
