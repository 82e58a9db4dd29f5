using System.Globalization;
using System.Net;
using System.Text;
using CapaEngine.Contracts;

namespace CapaEngine.ReadModels.Deadlines.Delivery;

/// <summary>What a mail says, from what people wrote elsewhere: made safe for a header and for HTML.</summary>
public static class MailText
{
    private const int TitleLengthMax = 120;

    /// <summary>The subject.</summary>
    public static string Subject(OutgoingMessage message, DateTimeOffset now)
    {
        if (message.Day is { } day)
        {
            var what = message.Items.Count == 1 ? "1 deadline" : $"{message.Items.Count} deadlines";
            return string.Create(CultureInfo.InvariantCulture, $"{what} for you on {day:yyyy-MM-dd}");
        }

        var item = message.Items[0];
        return SingleLine($"{What(item)} {State(item, now)}: {Name(item)}");
    }

    /// <summary>The text for whoever reads plain mail.</summary>
    public static string Plain(OutgoingMessage message, DeliverySettings settings, DateTimeOffset now)
    {
        var text = new StringBuilder();
        foreach (var item in message.Items)
        {
            text.Append(What(item)).Append(' ').Append(State(item, now)).Append(": ").Append(Name(item)).Append('\n')
                .Append("  ").Append(Facts(item, settings.TimeZone)).Append('\n');
            if (Link(item, settings.PublicUrl) is { } link) text.Append("  ").Append(link).Append('\n');
            text.Append('\n');
        }

        return text.Append(Footer(message)).Append('\n').ToString();
    }

    /// <summary>The same as HTML.</summary>
    public static string Html(OutgoingMessage message, DeliverySettings settings, DateTimeOffset now)
    {
        var html = new StringBuilder("<!DOCTYPE html><html lang=\"en\"><body><ul>");
        foreach (var item in message.Items)
        {
            var name = Encode(Name(item));
            html.Append("<li>").Append(Encode($"{What(item)} {State(item, now)}: "))
                .Append(Link(item, settings.PublicUrl) is { } link
                    ? $"<a href=\"{Encode(link.AbsoluteUri)}\">{name}</a>" : name)
                .Append("<br>").Append(Encode(Facts(item, settings.TimeZone))).Append("</li>");
        }

        return html.Append("</ul><p>").Append(Encode(Footer(message))).Append("</p></body></html>").ToString();
    }

    /// <summary>Where people open the record; null where nobody said.</summary>
    public static Uri? Link(EscalationView item, Uri? publicUrl)
    {
        if (publicUrl is null) return null;
        var kind = Wire.Value<DeadlineKind>(item.Kind);
        var path = kind switch
        {
            DeadlineKind.ContainmentDue or DeadlineKind.CustomerNoticeDue => $"nonconformities/{item.CaseId:D}",
            DeadlineKind.ConcessionEnd => $"concessions/{item.SubjectId:D}",
            _ => $"action-plans/{item.CaseId:D}",
        };
        return new Uri(publicUrl, path);
    }

    /// <summary>Text without anything that could end a header line or hide what follows.</summary>
    public static string SingleLine(string text)
    {
        var safe = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            var isBreak = Rune.IsControl(rune) || Rune.GetUnicodeCategory(rune) is UnicodeCategory.LineSeparator
                or UnicodeCategory.ParagraphSeparator or UnicodeCategory.Format;
            safe.Append(isBreak ? " " : rune.ToString());
        }

        return string.Join(' ', safe.ToString().Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }

    private static string What(EscalationView item) => Wire.Value<DeadlineKind>(item.Kind) switch
    {
        DeadlineKind.ContainmentDue => "Containment",
        DeadlineKind.CustomerNoticeDue => "Notice to the customer",
        DeadlineKind.ActionDue => "Action",
        DeadlineKind.ActionVerification => "Verification",
        DeadlineKind.PlanApproval => "Approval of the plan",
        DeadlineKind.WindowEnd => "Evaluation of effectiveness",
        DeadlineKind.ConcessionEnd => "Concession",
        var kind => throw new InvalidOperationException($"No words are defined for {kind}."),
    };

    private static string State(EscalationView item, DateTimeOffset now)
    {
        var left = item.DueAt - now;
        var ends = item.Kind == Wire.Name(DeadlineKind.ConcessionEnd);
        var waits = item.Kind == Wire.Name(DeadlineKind.ActionVerification)
            || item.Kind == Wire.Name(DeadlineKind.PlanApproval);
        return left > TimeSpan.Zero ? $"{(ends ? "ends" : "due")} in {Span(left)}"
            : waits ? $"waiting for {Span(-left)}"
            : $"overdue by {Span(-left)}";
    }

    private static string Span(TimeSpan span) => span.TotalHours < 48
        ? string.Create(CultureInfo.InvariantCulture, $"{Math.Max(1, Math.Round(span.TotalHours)):0} h")
        : string.Create(CultureInfo.InvariantCulture, $"{Math.Round(span.TotalDays):0} days");

    private static string Name(EscalationView item)
    {
        var title = SingleLine(item.Title ?? "");
        if (title.Length > TitleLengthMax)
        {
            // Never between the two halves of one character.
            var end = char.IsHighSurrogate(title[TitleLengthMax - 1]) ? TitleLengthMax - 1 : TitleLengthMax;
            title = $"{title[..end].TrimEnd()}...";
        }

        return item.Number is { } number ? $"{title} ({number})" : title;
    }

    private static string Facts(EscalationView item, TimeZoneInfo zone) => SingleLine(string.Create(
        CultureInfo.InvariantCulture,
        $"{TimeZoneInfo.ConvertTime(item.DueAt, zone):yyyy-MM-dd HH:mm} {zone.Id}, site {item.Site}")
        + (item.Severity is { } severity ? $", {severity}" : "") + $", level {item.Level}");

    private static string Footer(OutgoingMessage message) =>
        $"Sent by CapaEngine. Message {message.Id:D}; the same message may arrive twice under this number.";

    private static string Encode(string text) => WebUtility.HtmlEncode(text);
}
