using System.ComponentModel.DataAnnotations;
using System.Text;
using System.Text.Json.Serialization;
using CapaEngine.Contracts;
using CapaEngine.Hosting;
using Microsoft.AspNetCore.Http;
using Shouldly;

namespace CapaEngine.Specs.Edge;

/// <summary>What cannot be read is 400; what reads but is wrong is 422 and names each member and its rule.</summary>
public sealed class RequestBodySpecs
{
    private const string Good =
        """{"title":"Width","severity":"major","at":"2026-11-20T09:00:00+01:00","count":3,"parts":[{"code":"A"}]}""";

    [Fact]
    public void a_good_body_is_read()
    {
        var read = Parse(Good).Value.ShouldNotBeNull();
        read.ShouldBe(new Sample(
            "Width", Severity.Major, new DateTimeOffset(2026, 11, 20, 8, 0, 0, TimeSpan.Zero), 3, [new Part("A")]));
    }

    [Fact]
    public void spelling_does_not_change_the_canonical_form()
    {
        var respelt = """
             {"count": 3, "parts": [{"code": "\u0041", "note": null}], "at": "2026-11-20T08:00:00.000Z",
              "severity": "major", "title": "Width"}
            """;
        Parse(respelt).Canonical.ToArray().ShouldBe(Parse(Good).Canonical.ToArray());
        Parse(Good.Replace("Width", "Widths")).Canonical.ToArray().ShouldNotBe(Parse(Good).Canonical.ToArray());
    }

    [Theory]
    [InlineData("{", 400)]
    [InlineData("""{"title":"a"} x""", 400)]
    [InlineData("""{"title":"a",}""", 400)]
    [InlineData("""{"title":NaN}""", 400)]
    [InlineData("[]", 422)]
    [InlineData("null", 422)]
    [InlineData("3", 422)]
    public void malformed_is_told_from_wrong(string body, int status) => Problem(body).Status.ShouldBe(status);

    [Fact]
    public void bytes_that_are_not_utf8_are_malformed()
    {
        byte[] latin = [.. Encoding.UTF8.GetBytes("""{"title":"M"""), 0xFC, .. Encoding.UTF8.GetBytes("ller\"}")];
        Problem(StrictBody.Parse<Sample>(latin)).Code.ShouldBe("malformed-json");
    }

    [Fact]
    public void nesting_is_bounded()
    {
        var deep = string.Concat(Enumerable.Repeat("""{"a":""", 40)) + "1" + new string('}', 40);
        Problem(deep).Code.ShouldBe("malformed-json");
    }

    [Theory]
    [InlineData(""", "colour":"red"}""", "colour: is not a member of this request")]
    [InlineData(""", "Title":"Width"}""", "Title: is not a member of this request")]
    [InlineData(""", "secret":7}""", "secret: is not a member of this request")]
    [InlineData(""", "title":"Twice"}""", "title: is given more than once")]
    [InlineData(""", "\ud800":1}""", ": has a member whose name is not valid Unicode")]
    public void further_members_are_refused(string more, string error) =>
        Errors(Good[..^1] + more).ShouldBe([error]);

    [Theory]
    [InlineData("\"title\":\"Width\"", "\"title\":null", "title: must not be null")]
    [InlineData("\"title\":\"Width\"", "\"title\":7", "title: must be a string")]
    [InlineData("\"title\":\"Width\"", "\"title\":\"a\\u0000\"", "title: must not contain the character U+0000")]
    [InlineData("\"title\":\"Width\"", "\"title\":\"\\ud800\"", "title: must be valid Unicode")]
    [InlineData("\"severity\":\"major\"", "\"severity\":\"Major!\"", "severity: must be one of minor, major, critical")]
    [InlineData("\"severity\":\"major\"", "\"severity\":1", "severity: must be one of minor, major, critical")]
    [InlineData("+01:00", "", "at: must be an ISO 8601 time with an offset, such as 2026-11-23T08:00:00Z")]
    [InlineData("\"count\":3", "\"count\":\"3\"", "count: must be a whole number")]
    [InlineData("\"count\":3", "\"count\":3.5", "count: must be a whole number")]
    [InlineData("\"count\":3", "\"count\":3000000000", "count: must be a whole number")]
    [InlineData("[{\"code\":\"A\"}]", "{}", "parts: must be an array")]
    [InlineData("[{\"code\":\"A\"}]", "[null]", "parts[0]: must not be null")]
    [InlineData("[{\"code\":\"A\"}]", "[{\"code\":\"A\"},{}]", "parts[1].code: is required")]
    [InlineData("[{\"code\":\"A\"}]", "[{\"code\":\"A\",\"x\":1}]", "parts[0].x: is not a member of this request")]
    public void wrong_values_name_member_and_rule(string good, string wrong, string error)
    {
        Good.ShouldContain(good);
        Errors(Good.Replace(good, wrong)).ShouldBe([error]);
    }

    [Fact]
    public void all_errors_are_told_at_once_and_in_the_words_of_the_caller()
    {
        Errors("""{"severity":"x","count":null}""").ShouldBe(
        [
            "severity: must be one of minor, major, critical", "count: must not be null", "title: is required",
            "at: is required", "parts: is required",
        ]);
        Problem("{}").Errors!.Select(error => error.Rule).ShouldAllBe(rule => !rule.Contains("CapaEngine"));
    }

    private static ReadBody<Sample> Parse(string body) => StrictBody.Parse<Sample>(Encoding.UTF8.GetBytes(body));

    private static Problem Problem(string body) => Problem(Parse(body));

    private static Problem Problem(ReadBody<Sample> read)
    {
        read.Value.ShouldBeNull();
        return read.Refusal.ShouldBeAssignableTo<IValueHttpResult<Problem>>()!.Value!;
    }

    private static List<string> Errors(string body)
    {
        var problem = Problem(body);
        problem.Code.ShouldBe("invalid");
        return [.. problem.Errors!.Select(error => $"{error.Field}: {error.Rule}")];
    }

    private sealed record Part([property: Required] string Code, string? Note = null);

    private sealed record Sample(
        string Title, Severity Severity, DateTimeOffset At, int Count, ValueList<Part> Parts, double? Limit = null)
    {
        [JsonIgnore]
        public int Secret { get; init; }
    }
}
