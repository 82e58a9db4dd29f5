using System.Buffers;
using System.Text;
using System.Text.Json;
using CapaEngine.Nonconformities.Intake;
using Shouldly;

namespace CapaEngine.Specs.Nonconformities;

/// <summary>RFC 8785: one value has one text, whatever the sender's spelling.</summary>
public sealed class CanonicalJsonSpecs
{
    // RFC 8785, appendix B: the bits of a double and its text.
    [Theory]
    [InlineData(0x0000000000000000, "0")]
    [InlineData(0x8000000000000000, "0")]
    [InlineData(0x0000000000000001, "5e-324")]
    [InlineData(0x8000000000000001, "-5e-324")]
    [InlineData(0x7fefffffffffffff, "1.7976931348623157e+308")]
    [InlineData(0x4340000000000000, "9007199254740992")]
    [InlineData(0x4430000000000000, "295147905179352830000")]
    [InlineData(0x44b52d02c7e14af5, "9.999999999999997e+22")]
    [InlineData(0x44b52d02c7e14af6, "1e+23")]
    [InlineData(0x44b52d02c7e14af7, "1.0000000000000001e+23")]
    [InlineData(0x444b1ae4d6e2ef4e, "999999999999999700000")]
    [InlineData(0x444b1ae4d6e2ef4f, "999999999999999900000")]
    [InlineData(0x444b1ae4d6e2ef50, "1e+21")]
    [InlineData(0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7")]
    [InlineData(0x3eb0c6f7a0b5ed8d, "0.000001")]
    [InlineData(0x41b3de4355555553, "333333333.3333332")]
    [InlineData(0x41b3de4355555557, "333333333.33333343")]
    [InlineData(0xbecbf647612f3696, "-0.0000033333333333333333")]
    [InlineData(0x43143ff3c1cb0959, "1424953923781206.2")]
    public void numbers_read_as_ecmascript_writes_them(ulong bits, string expected) =>
        CanonicalJson.Format(BitConverter.UInt64BitsToDouble(bits)).ShouldBe(expected);

    [Theory]
    [InlineData("""{"b":1,"a":[true, null , "x"]}""", """{"a":[true,null,"x"],"b":1}""")]
    [InlineData("{\"\u20ac\":1,\"\\r\":2,\"1\":3,\"\ud83d\ude00\":4,\"\u00f6\":5,\"\ufb33\":6}",
        "{\"\\r\":2,\"1\":3,\"\u00f6\":5,\"\u20ac\":1,\"\ud83d\ude00\":4,\"\ufb33\":6}")]
    [InlineData("""["\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/"]""", """["€$\u000f\nA'B\"\\\\\"/"]""")]
    [InlineData("""[1.0, 1E2, -0, 0.10]""", "[1,100,0,0.1]")]
    public void a_value_has_one_text(string json, string expected) => Canonical(json).ShouldBe(expected);

    [Theory]
    [InlineData("""{"a":1,"a":2}""")]
    [InlineData("""["\ud800"]""")]
    [InlineData("[1e999]")]
    public void what_has_no_defined_meaning_has_no_text(string json) =>
        Should.Throw<NotCanonicalException>(() => Canonical(json));

    private static string Canonical(string json)
    {
        var output = new ArrayBufferWriter<byte>();
        CanonicalJson.Write(JsonElement.Parse(json), output);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}
