namespace CapaEngine.EventLog.Access;

/// <summary>
/// <c>hash-password</c>: reads a password from the standard input, never from the command line, where other users of
/// the machine could read it, and prints what the users file keeps of it.
/// </summary>
internal static class HashPasswordCommand
{
    public const string Name = "hash-password";

    public static async Task<int> RunAsync(TextReader input, TextWriter output, TextWriter errors)
    {
        if (await input.ReadLineAsync() is not { Length: > 0 } password)
        {
            await errors.WriteLineAsync("The standard input holds no password.");
            return 1;
        }

        await output.WriteLineAsync(PasswordHash.Of(password).Text);
        return 0;
    }
}
