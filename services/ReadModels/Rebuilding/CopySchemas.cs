namespace CapaEngine.ReadModels.Rebuilding;

/// <summary>The schemas in which tables of the read models lie beside the live ones.</summary>
internal static class CopySchemas
{
    /// <summary>The tables that serve.</summary>
    public const string Live = "read_models";

    /// <summary>Those that will serve next.</summary>
    public const string Next = "read_models_next";

    /// <summary>Those that the live ones are compared with.</summary>
    public const string Check = "read_models_check";

    /// <summary>Those that have just been replaced; empty but within one transaction.</summary>
    public const string Former = "read_models_former";

    /// <summary>Every schema beside the live one.</summary>
    public static readonly string[] Beside = [Next, Check, Former];
}
