using System.Text;
using System.Text.Json;
using CapaEngine.Contracts;
using CapaEngine.ReadModels.Deadlines;
using CapaEngine.ReadModels.Deadlines.Delivery;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using MimeKit;
using Shouldly;

namespace CapaEngine.Specs.Deadlines;

/// <summary>The parts of delivery that need neither a server nor a database.</summary>
public sealed class DeliverySpecs
{
    private const string Secrets = """
        whsec_Y2FwYWVuZ2luZS1zZWNyZXQtb25lLTAxMjM0NTY3ODk=
        Y2FwYWVuZ2luZS1zZWNyZXQtdHdvLTAxMjM0NTY3ODk=
        """;

    private static readonly DateTimeOffset Now = new(2026, 4, 2, 0, 0, 0, TimeSpan.Zero);

    private static readonly SmtpSettings Smtp = new(
        "localhost", 25, SmtpSecurity.None, null, null, MailboxAddress.Parse("CAPA <capa@example.com>"));

    // The signatures were computed with openssl dgst -sha256 -hmac over id.timestamp.body.
    [Fact]
    public void a_webhook_is_signed_with_every_secret_of_the_file() => StandardWebhook.Sign(
        StandardWebhook.ParseSecrets(Secrets), "8b2d0c6e-0f5a-5c39-9f0e-6c2a7a1b3d44",
        DateTimeOffset.FromUnixTimeSeconds(1775088000), """{"type":"escalation.raised"}"""u8).ShouldBe(
        "v1,wU2yEqxeOIsRxZVjuNq7Fj/IYHxOl4rTGK73Yp4Dq9M= v1,lCtnaopDQFkaZPNTXXwi/NVjGgByEltjL6735JJePJo=");

    [Theory]
    [InlineData("")]
    [InlineData("\n \n")]
    [InlineData("whsec_not base64")]
    public void a_file_without_secrets_is_none(string text) =>
        Should.Throw<FormatException>(() => StandardWebhook.ParseSecrets(text));

    [Theory]
    [InlineData("Rail\r\nBcc: everyone@example.com")]
    [InlineData("Rail\nBcc: everyone@example.com")]
    [InlineData("Rail\rBcc: everyone@example.com\r\n\r\nOther body")]
    [InlineData("Rail\u2028Bcc: everyone@example.com\u0085\u202e\0")]
    public void a_title_cannot_become_a_header_or_a_body(string title)
    {
        var mail = Compose(Item(title));
        using var bytes = new MemoryStream();
        mail.WriteTo(bytes);
        bytes.Position = 0;
        var read = MimeMessage.Load(bytes);
        read.Bcc.ShouldBeEmpty();
        read.To.Mailboxes.Single().Address.ShouldBe("oscar@example.com");
        read.Subject.ShouldStartWith("Action overdue by 6 h: Rail Bcc: everyone@example.com");
        read.Subject.ShouldAllBe(character => character >= ' ');
        read.Headers.Select(header => header.Field).ShouldBeUnique();
        read.TextBody.ShouldNotBeNull().ShouldContain("Sent by CapaEngine.");
    }

    [Fact]
    public void words_of_people_are_encoded_in_html()
    {
        var mail = Compose(Item("<script>alert('x')</script> & more"));
        mail.HtmlBody.ShouldNotBeNull().ShouldNotContain("<script");
        mail.HtmlBody.ShouldContain("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; more");
        mail.TextBody.ShouldNotBeNull().ShouldContain("<script>alert('x')</script> & more");
    }

    [Fact]
    public void a_long_title_ends_between_two_characters()
    {
        var subject = MailText.Subject(Message(null, Item(new string('a', 119) + "\U0001F527" + "tail")), Now);
        subject.ShouldEndWith("a... (CAPA-2026-000001)");
        Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(subject)).ShouldBe(subject);
    }

    [Theory]
    [InlineData("action-due", -30, "Action due in 30 h")]
    [InlineData("action-due", -72, "Action due in 3 days")]
    [InlineData("containment-due", 200, "Containment overdue by 8 days")]
    [InlineData("action-verification", 72, "Verification waiting for 3 days")]
    [InlineData("concession-end", -168, "Concession ends in 7 days")]
    public void the_subject_says_what_is_due_and_when(string kind, int hours, string expected) => MailText.Subject(
        Message(null, Item("Rail") with { Kind = kind, DueAt = Now.AddHours(-hours) }), Now)
        .ShouldBe($"{expected}: Rail (CAPA-2026-000001)");

    [Fact]
    public void a_digest_counts_what_it_tells()
    {
        var day = new DateOnly(2026, 4, 2);
        MailText.Subject(Message(day, Item("Rail")), Now).ShouldBe("1 deadline for you on 2026-04-02");
        MailText.Subject(Message(day, Item("Rail"), Item("Crew")), Now).ShouldBe("2 deadlines for you on 2026-04-02");
        MailText.Plain(Message(day, Item("Rail"), Item("Crew")), DeliverySettings.Nothing, Now)
            .Split('\n').Count(line => line.Contains("overdue")).ShouldBe(2);
    }

    [Fact]
    public void every_kind_of_deadline_has_its_words_and_its_link()
    {
        foreach (var kind in DefaultPolicy.Command.Rules.Select(rule => rule.Kind).Distinct())
        {
            var item = Item("Rail") with { Kind = JsonNamingPolicy.KebabCaseLower.ConvertName(kind.ToString()) };
            MailText.Subject(Message(null, item), Now).ShouldEndWith(": Rail (CAPA-2026-000001)");
            MailText.Link(item, new Uri("https://capa.example.com/"))!.AbsoluteUri
                .ShouldMatch("^https://capa.example.com/(nonconformities|action-plans|concessions)/[0-9a-f-]{36}$");
        }
    }

    [Fact]
    public void pauses_grow_to_four_hours()
    {
        var failed = new Notification();
        List<double> minutes = [];
        for (var attempt = 1; attempt <= 7; attempt++)
        {
            failed = failed.Evolve(new NotificationEvent.AttemptFailed(attempt, "smtp-451"), Now);
            minutes.Add((failed.NextAttemptAt - Now).TotalMinutes);
        }

        minutes.ShouldBe([1, 4, 16, 64, 240, 240, 240]);
    }

    [Theory]
    [InlineData("DigestHour=24", "Delivery:DigestHour must be a number from 0 to 23.")]
    [InlineData("TimeZone=Mars/Base", "Delivery:TimeZone must be a time zone such as Europe/Berlin.")]
    [InlineData("PublicUrl=ftp://x", "Delivery:PublicUrl must be an http or https address.")]
    [InlineData("Smtp:Host=h Smtp:From=a@b.c", "Delivery:ContactsFile is needed to send mail.")]
    [InlineData("Smtp:Host=h ContactsFile=f", "Delivery:Smtp:From must be a mail address.")]
    [InlineData("Smtp:Host=h Smtp:From=a@b.c Smtp:Security=ssl",
        "Delivery:Smtp:Security must be none, starttls or tls.")]
    [InlineData("Smtp:Host=h Smtp:From=a@b.c Smtp:User=u", "Delivery:Smtp:PasswordFile and User go together.")]
    [InlineData("Webhooks:0:Url=https://x", "Delivery:Webhooks:0:Name is missing.")]
    [InlineData("Webhooks:0:Name=n Webhooks:0:Url=http://x Webhooks:0:SecretFile=s",
        "Delivery:Webhooks:0:Url must be an https address.")]
    [InlineData("Webhooks:0:Name=n Webhooks:0:Url=https://x Webhooks:0:SecretFile=s Webhooks:0:DeadlineKinds:0=lunch",
        "Delivery:Webhooks:0:DeadlineKinds does not know 'lunch'.")]
    public void a_wrong_setting_stops_the_start_and_is_named(string settings, string message) =>
        Should.Throw<InvalidOperationException>(() => Read(settings, allowsHttp: false)).Message.ShouldBe(message);

    [Fact]
    public void settings_left_out_send_nothing_and_those_given_are_read()
    {
        Read("", allowsHttp: false).ShouldBe(DeliverySettings.Nothing);
        var read = Read(
            "Smtp:Host=h Smtp:From=a@b.c ContactsFile=f TimeZone=Europe/Berlin DigestHour=6 Webhooks:0:Name=n "
            + "Webhooks:0:Url=http://x Webhooks:0:SecretFile=s Webhooks:0:DeadlineKinds:0=action-due",
            allowsHttp: true);
        read.SendsAnything.ShouldBeTrue();
        (read.Smtp!.Port, read.Smtp.Security, read.DigestHour).ShouldBe((587, SmtpSecurity.StartTls, 6));
        read.TimeZone.Id.ShouldBe("Europe/Berlin");
        read.Webhooks.Single().Kinds.ShouldBe([DeadlineKind.ActionDue]);
    }

    [Fact]
    public void contacts_are_read_again_when_the_file_changes_and_a_broken_one_changes_nothing()
    {
        var file = Path.GetTempFileName();
        try
        {
            var contacts = new Contacts(file, NullLogger<Contacts>.Instance);
            contacts.Find("oscar").ShouldBeNull();
            File.WriteAllText(file, """{"oscar":"oscar@example.com","vera":"no address"}""");
            contacts.Find("oscar")!.Address.ShouldBe("oscar@example.com");
            contacts.Find("vera").ShouldBeNull();
            File.WriteAllText(file, """{"oscar":""");
            contacts.Find("oscar")!.Address.ShouldBe("oscar@example.com");
            File.WriteAllText(file, """{"oscar":"o@example.com"}""");
            contacts.Find("oscar")!.Address.ShouldBe("o@example.com");
        }
        finally
        {
            File.Delete(file);
        }
    }

    private static DeliverySettings Read(string settings, bool allowsHttp) => DeliverySettings.From(
        new ConfigurationBuilder().AddInMemoryCollection(settings.Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Select(setting => setting.Split('=', 2))
            .Select(pair => KeyValuePair.Create($"Delivery:{pair[0]}", (string?)pair[1]))).Build(),
        allowsHttp);

    private static MimeMessage Compose(EscalationView item) => MailChannel.Compose(
        Message(null, item), DeliverySettings.Nothing, Smtp, MailboxAddress.Parse("oscar@example.com"), Now);

    private static OutgoingMessage Message(DateOnly? day, params EscalationView[] items) =>
        new(NameBasedId.From("message"), "oscar", day, Now, items);

    private static EscalationView Item(string title) => new(
        NameBasedId.From("escalation"), "action-due", NameBasedId.From("subject"), NameBasedId.From("case"),
        "CAPA-2026-000001", "plant-1", "major", title, 2, Now.AddHours(-6), Now, ["oscar"], [], "now", 1, null, "open",
        null, "actionplan-x", 0, 7);
}
