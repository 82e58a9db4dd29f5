using System.Security.Cryptography;
using System.Text.Json;
using CapaEngine.Contracts;
using Shouldly;

namespace CapaEngine.Specs.Contracts;

public sealed class JsonSpecs
{
    [Fact]
    public void a_time_without_an_offset_is_refused() =>
        Should.Throw<JsonException>(() => Read<DateTimeOffset>("\"2026-03-02T08:00:00\""))
            .Message.ShouldContain("offset");

    [Fact]
    public void a_time_with_an_offset_becomes_utc() =>
        JsonSerializer.Serialize(Read<DateTimeOffset>("\"2026-03-02T10:00:00+02:00\""), StrictJson.Stored)
            .ShouldBe("\"2026-03-02T08:00:00Z\"");

    [Theory]
    [InlineData("\"use-as-is\"", DispositionKind.UseAsIs)]
    [InlineData("\"return-to-supplier\"", DispositionKind.ReturnToSupplier)]
    public void enumerations_are_kebab_case(string json, DispositionKind kind)
    {
        Read<DispositionKind>(json).ShouldBe(kind);
        JsonSerializer.Serialize(kind, StrictJson.Stored).ShouldBe(json);
    }

    [Theory, InlineData("1"), InlineData("\"1\""), InlineData("\"scrapped\"")]
    public void an_enumeration_by_number_or_unknown_word_is_refused(string json) =>
        Should.Throw<JsonException>(() => Read<DispositionKind>(json));

    [Fact]
    public void a_request_with_an_unknown_member_is_refused() =>
        Should.Throw<JsonException>(() => Read<Answer>("""{"yes":true,"reference":"R-1","refrence":"R-2"}"""))
            .Message.ShouldContain("refrence");

    [Fact]
    public void a_repeated_member_is_refused() =>
        Should.Throw<JsonException>(() => Read<Answer>("""{"yes":true,"yes":false,"reference":"R-1"}"""));

    [Fact]
    public void a_null_in_a_list_is_refused() =>
        Should.Throw<JsonException>(() => Read<ValueList<string>>("""["a",null]"""));

    [Fact]
    public void lists_are_equal_by_their_items()
    {
        ValueList<int> one = [1, 2, 3], same = [1, 2, 3], other = [1, 2];
        one.ShouldBe(same);
        one.GetHashCode().ShouldBe(same.GetHashCode());
        one.Equals(other).ShouldBeFalse();
    }

    [Fact]
    public void a_name_based_id_follows_the_standard() =>
        // The example of RFC 9562, appendix A.4: "www.example.com" in the DNS namespace.
        NameBasedId.From(new Guid("6ba7b810-9dad-11d1-80b4-00c04fd430c8"), "www.example.com")
            .ShouldBe(new Guid("2ed6657d-e927-568b-95e1-2665a8aea6a2"));

    [Theory, InlineData(496), InlineData(497), InlineData(100_000)]
    public void a_name_of_any_length_has_an_id(int length)
    {
        var name = new byte[length];
        Random.Shared.NextBytes(name);
        var hash = CryptographicOperations.HashData(
            HashAlgorithmName.SHA1, [.. NameBasedId.Root.ToByteArray(bigEndian: true), .. name]);
        var id = NameBasedId.From(NameBasedId.Root, name).ToByteArray(bigEndian: true);
        id[..6].ShouldBe(hash[..6]);
        id[9..].ShouldBe(hash[9..16]);
        (id[6] >> 4, id[8] >> 6).ShouldBe((5, 2));
    }

    [Fact]
    public void partitions_are_fnv1a_of_the_stream_name()
    {
        // FNV-1a (32 bit) of "a" is 0xE40C292C, a published test value.
        Partitions.Of("a", 1 << 30).ShouldBe((int)(0xE40C292Cu % (1u << 30)));
        Enumerable.Range(0, 4000).GroupBy(n => Partitions.Of($"deviation-{NameBasedId.From($"{n}"):D}", 4))
            .ShouldAllBe(partition => partition.Count() > 800);
    }

    private static T Read<T>(string json) => JsonSerializer.Deserialize<T>(json, StrictJson.Requests)!;
}
