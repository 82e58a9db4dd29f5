using System.Security.Cryptography;

namespace CapaEngine.Gateway;

/// <summary>The issuer's key, created once and kept, so that tokens outlive a restart.</summary>
internal static class IssuerKeyFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    public static ECDsa ReadOrCreate(string path)
    {
        if (!File.Exists(path)) Create(path);
        if (!OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & ~OwnerOnly) != UnixFileMode.None)
            throw new InvalidOperationException($"{path} must be readable by its owner alone (mode 600).");
        var key = ECDsa.Create();
        key.ImportFromPem(File.ReadAllText(path));
        return key;
    }

    // Written aside and moved: another gateway that starts at the same time sees the whole key or none.
    private static void Create(string path)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        Directory.CreateDirectory(folder);
        var draft = Path.Combine(folder, Path.GetRandomFileName());
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnerOnly;
        using (var key = ECDsa.Create(ECCurve.NamedCurves.nistP256))
        using (var writer = new StreamWriter(draft, options))
            writer.Write(key.ExportPkcs8PrivateKeyPem());
        try
        {
            File.Move(draft, path, overwrite: false);
        }
        catch (IOException) when (File.Exists(path))
        {
            File.Delete(draft);
        }
    }
}
