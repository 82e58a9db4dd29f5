namespace CapaEngine.EventLog.Access;

/// <summary>Puts together what decides who may come in, and under which certificate.</summary>
internal static class AccessServices
{
    public static void AddAccess(this IServiceCollection services, EventLogSettings settings)
    {
        services.AddSingleton<PasswordCheck>();
        if (settings is { CertificateFile: { } certificate, KeyFile: { } key })
        {
            AddFiles(
                services, [(EventLogSettings.CertificateFileKey, certificate), (EventLogSettings.KeyFileKey, key)],
                texts => ServerCertificate.Parse(texts[0], texts[1]));
        }

        if (settings.UsersFile is { } users)
        {
            AddFiles(services, [(EventLogSettings.UsersFileKey, users)], texts => Users.Parse(texts[0]));
        }
    }

    /// <summary>Reads the files, so that the log does not start with any that it cannot use.</summary>
    public static void UseAdmission(this WebApplication app, EventLogSettings settings)
    {
        var (services, log) = (app.Services, app.Logger);
        if (services.GetService<FromFiles<ServerCertificate>>() is { } certificate)
        {
            log.LogInformation("The certificate is valid until {ValidUntil:u}.", certificate.Value.ValidUntil);
        }

        _ = services.GetService<FromFiles<Users>>();
        if (settings.SendsPasswordsInClear)
        {
            log.LogWarning("Passwords for {Url} are sent without TLS and can be read on the way.", settings.Url);
        }

        app.UseMiddleware<Admission>();
    }

    private static void AddFiles<T>(
        IServiceCollection services, IReadOnlyList<(string Key, string File)> files,
        Func<IReadOnlyList<string>, T> parse)
        where T : class => services.AddSingleton(provider => new FromFiles<T>(
            files, parse, provider.GetRequiredService<TimeProvider>(),
            provider.GetRequiredService<ILogger<FromFiles<T>>>()));
}
