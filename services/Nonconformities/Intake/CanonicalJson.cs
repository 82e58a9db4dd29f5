using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace CapaEngine.Nonconformities.Intake;

/// <summary>The JSON is well-formed, but its meaning is not defined (RFC 7493), so it has no one form.</summary>
public sealed class NotCanonicalException(string detail) : Exception(detail);

/// <summary>
/// JSON in the one form of RFC 8785: members ordered by UTF-16 code units, numbers as ECMAScript writes them, nothing
/// escaped that need not be. Two texts of the same value have the same bytes, and so the same hash.
/// </summary>
public static class CanonicalJson
{
    // While the decimal point stands between these places ECMAScript writes a number without an exponent.
    private const int PointMin = -5;
    private const int PointMax = 21;

    private static readonly SearchValues<char> Escaped =
        SearchValues.Create(['"', '\\', .. Enumerable.Range(0, ' ').Select(code => (char)code)]);

    /// <summary>The canonical UTF-8 of <paramref name="json"/>. Throws <see cref="NotCanonicalException"/>.</summary>
    public static void Write(JsonElement json, IBufferWriter<byte> output)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.Object: WriteObject(json, output); break;
            case JsonValueKind.Array: WriteArray(json, output); break;
            case JsonValueKind.String: WriteString(Text(json), output); break;
            case JsonValueKind.Number: WriteNumber(json, output); break;
            case JsonValueKind.True: output.Write("true"u8); break;
            case JsonValueKind.False: output.Write("false"u8); break;
            default: output.Write("null"u8); break;
        }
    }

    /// <summary>Writes a string with the least escaping that JSON allows.</summary>
    public static void WriteString(string text, IBufferWriter<byte> output)
    {
        if (!text.AsSpan().ContainsAny(Escaped))
        {
            output.Write("\""u8);
            Encoding.UTF8.GetBytes(text, output);
            output.Write("\""u8);
            return;
        }

        var escaped = new StringBuilder(text.Length + 2).Append('"');
        foreach (var c in text)
        {
            _ = c switch
            {
                '"' => escaped.Append("\\\""),
                '\\' => escaped.Append(@"\\"),
                '\b' => escaped.Append("\\b"),
                '\t' => escaped.Append("\\t"),
                '\n' => escaped.Append("\\n"),
                '\f' => escaped.Append("\\f"),
                '\r' => escaped.Append("\\r"),
                < ' ' => escaped.Append(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}"),
                _ => escaped.Append(c),
            };
        }

        Encoding.UTF8.GetBytes(escaped.Append('"').ToString(), output);
    }

    /// <summary>The number as <c>Number.prototype.toString</c> of ECMAScript writes it.</summary>
    public static string Format(double number)
    {
        if (!double.IsFinite(number)) throw new NotCanonicalException("A number lies outside the range of a double.");
        if (number == 0) return "0";
        // .NET and ECMAScript agree on the shortest digits that read back as the same double; the notation differs.
        var shortest = Math.Abs(number).ToString("R", CultureInfo.InvariantCulture);
        if (!shortest.Contains('E')) return number < 0 ? $"-{shortest}" : shortest;
        var parts = shortest.Split('E');
        var shift = int.Parse(parts[1], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        var mantissa = parts[0].Split('.');
        var digits = string.Concat(mantissa).TrimStart('0');
        var leadingZeros = string.Concat(mantissa).Length - digits.Length;
        return (number < 0 ? "-" : "") + Notation(digits.TrimEnd('0'), mantissa[0].Length - leadingZeros + shift);
    }

    // n in ECMAScript's terms: the decimal point stands after the first n digits.
    private static string Notation(string digits, int n) => n switch
    {
        _ when n >= digits.Length && n <= PointMax => digits + new string('0', n - digits.Length),
        > 0 and <= PointMax => $"{digits[..n]}.{digits[n..]}",
        <= 0 and >= PointMin => $"0.{new string('0', -n)}{digits}",
        _ => $"{digits[0]}{(digits.Length > 1 ? "." + digits[1..] : "")}e{(n > 0 ? "+" : "-")}{Math.Abs(n - 1)}",
    };

    private static void WriteObject(JsonElement json, IBufferWriter<byte> output)
    {
        var members = new List<(string Name, JsonElement Value)>();
        try
        {
            foreach (var member in json.EnumerateObject()) members.Add((member.Name, member.Value));
        }
        catch (InvalidOperationException)
        {
            throw new NotCanonicalException("The name of a member is not valid Unicode.");
        }

        members.Sort((left, right) => string.CompareOrdinal(left.Name, right.Name));
        output.Write("{"u8);
        for (var n = 0; n < members.Count; n++)
        {
            if (n > 0)
            {
                if (members[n].Name == members[n - 1].Name)
                    throw new NotCanonicalException($"The member {members[n].Name} is given more than once.");
                output.Write(","u8);
            }

            WriteString(members[n].Name, output);
            output.Write(":"u8);
            Write(members[n].Value, output);
        }

        output.Write("}"u8);
    }

    private static void WriteArray(JsonElement json, IBufferWriter<byte> output)
    {
        output.Write("["u8);
        var isFirst = true;
        foreach (var item in json.EnumerateArray())
        {
            if (!isFirst) output.Write(","u8);
            isFirst = false;
            Write(item, output);
        }

        output.Write("]"u8);
    }

    private static void WriteNumber(JsonElement json, IBufferWriter<byte> output)
    {
        if (!json.TryGetDouble(out var number)) throw new NotCanonicalException("A number cannot be read as a double.");
        Encoding.UTF8.GetBytes(Format(number), output);
    }

    private static string Text(JsonElement json)
    {
        try
        {
            return json.GetString()!;
        }
        catch (InvalidOperationException)
        {
            throw new NotCanonicalException("A text is not valid Unicode.");
        }
    }
}
