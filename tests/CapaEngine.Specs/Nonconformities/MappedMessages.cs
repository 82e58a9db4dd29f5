using System.Text;
using System.Text.Json.Nodes;
using CapaEngine.Kernel;
using CapaEngine.Nonconformities.Intake;
using CapaEngine.Nonconformities.Intake.Mapping;

namespace CapaEngine.Specs.Nonconformities;

/// <summary>Messages of equipment, with the members that the standards name, and the mappings of the product.</summary>
internal static class MappedMessages
{
    public static readonly DateTimeOffset Now = new(2026, 3, 1, 8, 0, 0, TimeSpan.Zero);
    public static readonly Sender Line = new(new Actor("line-4", "line-4", [], "north", []), null, false);

    public static readonly MappingSet Shipped = MappingSet.Read(
        Directory.EnumerateFiles(Path.Combine(Repository.Root, "services/Nonconformities/Mappings"), "*.json")
            .Order(StringComparer.Ordinal).Select(file => new MappingText(file, File.ReadAllBytes(file))));

    /// <summary>Two inspected units; the second has two defects.</summary>
    public static JsonObject UnitsInspected() => Event("CFX.Production.TestAndInspection.UnitsInspected", "u-1", """
        {
          "MessageName": "CFX.Production.TestAndInspection.UnitsInspected", "Version": "1.7",
          "TimeStamp": "2026-03-01T07:30:00Z", "UniqueID": "u-1", "Source": "north.aoi-2",
          "MessageBody": {
            "TransactionId": "t-77", "InspectionMethod": "AOI", "RecipeName": "BOARD-9",
            "InspectedUnits": [
              {
                "UnitIdentifier": "SN-1", "UnitPositionNumber": 1, "OverallResult": "Passed",
                "Inspections": [
                  { "UniqueIdentifier": "i-1", "InspectionStartTime": "2026-03-01T07:20:00Z", "DefectsFound": [] }
                ]
              },
              {
                "UnitIdentifier": "SN-2", "UnitPositionNumber": 2, "OverallResult": "Failed",
                "Inspections": [
                  {
                    "UniqueIdentifier": "i-1", "InspectionStartTime": "2026-03-01T07:10:00Z",
                    "InspectionEndTime": "2026-03-01T07:12:00Z",
                    "DefectsFound": [
                      { "UniqueIdentifier": "d-1", "DefectCode": "bridge", "Priority": 1, "Description": "R12" },
                      { "UniqueIdentifier": "d-2", "DefectCode": "void" }
                    ]
                  }
                ]
              }
            ]
          }
        }
        """);

    /// <summary>A fault of a machine.</summary>
    public static JsonObject FaultOccurred() => Event("CFX.ResourcePerformance.FaultOccurred", "f-1", """
        {
          "MessageName": "CFX.ResourcePerformance.FaultOccurred", "TimeStamp": "2026-03-01T07:30:00Z",
          "UniqueID": "f-1", "Source": "north.placer-1",
          "MessageBody": {
            "Fault": {
              "Cause": "MechanicalFailure", "Severity": "Error", "FaultCode": 4711, "FaultOccurrenceId": "o-1",
              "Description": "Nozzle 3 lost vacuum", "OccurredAt": "2026-03-01T07:29:00Z"
            }
          }
        }
        """);

    /// <summary>An alarm of the given severity.</summary>
    public static JsonObject Alarm(int severity = 700) => Event("org.opcfoundation.alarm", "a-1", $$"""
        {
          "EventId": "Zm9v", "EventType": "i=9341", "SourceNode": "ns=2;s=Oven.Zone1", "SourceName": "oven-1",
          "Time": "2026-03-01T07:30:00Z", "Message": { "Locale": "en", "Text": "Zone 1 is too hot" },
          "Severity": {{severity}}, "ConditionName": "zone-1-temperature", "ConditionClassName": "ProcessCondition",
          "ActiveState": { "Id": true, "TransitionTime": "2026-03-01T07:29:30Z" }, "Retain": true,
          "InputValue": 262.5, "HighLimit": 255
        }
        """);

    /// <summary>The data of a message, to be changed.</summary>
    public static JsonObject DataOf(JsonObject message) => message["data"]!.AsObject();

    public static Understood Read(JsonObject message, MappingSet? mappings = null, Sender? sender = null) =>
        new MessageReader(() => mappings ?? Shipped).Read(
            IntakeBody.ReadLine(Encoding.UTF8.GetBytes(message.ToJsonString())), sender ?? Line,
            MachineIntake.MachineTypes, Now);

    /// <summary>A mapping file with one product, of which a test says what matters to it.</summary>
    public static MappingSet With(string members, string more = "", string name = "mine") => MappingSet.Read(
        [new($"{name}.json", Encoding.UTF8.GetBytes(Text(members, more, name)))]);

    public static string Text(string members, string more = "", string name = "mine", int version = 1) => $$"""
        { "name": "{{name}}", "version": {{version}}, "description": "A test.", "match": { "type": "mine" },
          "produces": [ { "type": "capa.deviation.v1", {{more}} "members": {
            "product": { "constant": "P-1" }, "process": { "constant": "milling" },
            "defectCode": { "constant": "burr" }, "severity": { "constant": "minor" },
            "detectedAt": { "constant": "2026-03-01T07:00:00Z" }{{(members.Length > 0 ? "," : "")}} {{members}} } } ] }
        """;

    public static JsonObject Event(string type, string id, string data) => new()
    {
        ["specversion"] = "1.0", ["type"] = type, ["source"] = "urn:line:4", ["id"] = id,
        ["data"] = JsonNode.Parse(data),
    };
}
