using System.Text.RegularExpressions;
using System.Xml.Linq;
using CapaEngine.Contracts;
using Mono.Cecil;
using Mono.Cecil.Cil;
using Shouldly;

namespace CapaEngine.Specs.Architecture;

/// <summary>
/// The rules the design sets for the shape of the code. Each first proves that it selected something, because a rule
/// over an empty selection passes for ever.
/// </summary>
public sealed partial class ArchitectureRules
{
    private static readonly string[] WriteServices = ["Nonconformities", "RootCauses", "ActionPlans"];
    private static readonly string[] Services = [.. WriteServices, "ReadModels", "Gateway"];

    [Fact]
    public void A1_services_never_reference_one_another()
    {
        foreach (var service in Services)
        {
            var references = ProjectReferences($"services/{service}/{service}.csproj");
            references.ShouldNotBeEmpty(service);
            references.ShouldAllBe(reference => reference.StartsWith("../../shared/"), service);
        }
    }

    [Fact]
    public void A2_kernel_and_contracts_use_no_packages()
    {
        foreach (var project in new[] { "Kernel", "Contracts" })
            Project($"shared/{project}/{project}.csproj").Descendants("PackageReference").ShouldBeEmpty(project);
        ProjectReferences("shared/Contracts/Contracts.csproj").ShouldBeEmpty();
        ProjectReferences("shared/Kernel/Kernel.csproj").ShouldBe(["../Contracts/Contracts.csproj"]);
    }

    [Fact]
    public void A3_the_domain_knows_no_infrastructure()
    {
        // MathNet.Numerics is mathematics: the distributions of the effectiveness test.
        string[] allowed = ["System", "CapaEngine.Kernel", "CapaEngine.Contracts", "MathNet.Numerics"];
        foreach (var (service, types) in DomainTypes())
        {
            var foreign = types.SelectMany(ReferencedTypes)
                .Where(type => !allowed.Any(ns => type.Namespace == ns || type.Namespace.StartsWith(ns + '.'))
                    && type.Namespace != $"CapaEngine.{service}.Domain" && type.Namespace.Length > 0
                    && !IsCompilerSupport(type))
                .Select(type => type.FullName).Distinct();
            foreign.ShouldBeEmpty(service);
        }
    }

    [Fact]
    public void A4_the_domain_is_deterministic()
    {
        string[] forbidden =
        [
            "System.DateTime::get_Now", "System.DateTime::get_UtcNow", "System.DateTimeOffset::get_Now",
            "System.DateTimeOffset::get_UtcNow", "System.Guid::NewGuid", "System.Guid::CreateVersion7",
            "System.Random::", "System.Threading.Tasks.Task::", "System.TimeProvider::", "System.Environment::",
        ];
        foreach (var (service, types) in DomainTypes())
        {
            var calls = types.SelectMany(type => type.Methods).Where(method => method.HasBody)
                .SelectMany(method => method.Body.Instructions)
                .Select(instruction => instruction.Operand).OfType<MethodReference>()
                .Select(called => $"{called.DeclaringType.FullName}::{called.Name}").ToList();
            calls.Count.ShouldBeGreaterThan(50, service);
            calls.Where(call => forbidden.Any(call.StartsWith)).ShouldBeEmpty(service);
            types.SelectMany(type => type.Fields)
                .Where(field => field is { IsStatic: true, IsInitOnly: false, IsLiteral: false }
                    && !field.Name.Contains('<'))
                .Select(field => field.FullName).ShouldBeEmpty(service);
        }
    }

    [Fact]
    public void A5_facts_and_commands_are_sealed_closed_and_equal_by_value()
    {
        var roots = typeof(EventCatalog).Assembly.GetTypes().Concat(DomainAssemblies().SelectMany(a => a.GetTypes()))
            .Where(type => type is { IsAbstract: true, IsSealed: false, IsNested: false }
                && (type.Name.EndsWith("Event") || type.Name.EndsWith("Command"))).ToList();
        roots.Count.ShouldBeGreaterThan(8);
        foreach (var root in roots)
        {
            root.GetConstructors().ShouldBeEmpty($"{root} must be closed.");
            var cases = root.GetNestedTypes().Where(type => type.IsSubclassOf(root)).ToList();
            cases.ShouldNotBeEmpty(root.Name);
            cases.ShouldAllBe(type => type.IsSealed, root.Name);
            foreach (var property in cases.SelectMany(type => type.GetProperties()))
            {
                property.PropertyType.IsArray.ShouldBeFalse($"{property.DeclaringType}.{property.Name}");
                property.PropertyType.Name.ShouldNotBe("List`1", $"{property.DeclaringType}.{property.Name}");
                if (property.SetMethod is { } setter)
                    setter.ReturnParameter.GetRequiredCustomModifiers()
                        .ShouldContain(typeof(System.Runtime.CompilerServices.IsExternalInit));
            }
        }
    }

    [Fact]
    public void A6_every_fact_has_one_stored_name()
    {
        var facts = typeof(EventCatalog).Assembly.GetTypes().Where(type => type is { IsNested: true, IsSealed: true }
            && type.DeclaringType!.Name.EndsWith("Event") && type.IsSubclassOf(type.DeclaringType)).ToList();
        facts.Count.ShouldBeGreaterThan(50);
        foreach (var fact in facts)
            EventCatalog.Names.Count(name => EventCatalog.TypeOf(name) == fact).ShouldBe(1, fact.FullName!);
        EventCatalog.Names.ShouldAllBe(name => StoredName().IsMatch(name));
    }

    [Fact]
    public void A13_infrastructure_stays_where_it_belongs()
    {
        var projects = Repository.TrackedFiles().Where(file => file.EndsWith(".csproj")
            && !file.StartsWith("tests/")).ToList();
        projects.Count.ShouldBeGreaterThan(8);
        ProjectsUsing(projects, "Npgsql").ShouldBe(
            [
                "infra/Demo/Demo.csproj", "infra/EventLog/EventLog.csproj", "infra/Verify/Verify.csproj",
                "services/ReadModels/ReadModels.csproj",
            ],
            ignoreOrder: true);
        ProjectsUsing(projects, "MassTransit.RabbitMQ").ShouldBe(["shared/Hosting/Hosting.csproj"]);
        ProjectsUsing(projects, "MailKit").ShouldBe(["services/ReadModels/ReadModels.csproj"]);
        ProjectsUsing(projects, "Grpc.Net.Client").ShouldBe(["shared/EventStore/EventStore.csproj"]);
    }

    private static IEnumerable<string> ProjectsUsing(IEnumerable<string> projects, string package) =>
        projects.Where(project => Project(project).Descendants("PackageReference")
            .Any(reference => reference.Attribute("Include")!.Value == package));

    private static XElement Project(string path) => XElement.Load(Path.Combine(Repository.Root, path));

    private static List<string> ProjectReferences(string path) =>
        [.. Project(path).Descendants("ProjectReference").Select(reference => reference.Attribute("Include")!.Value)];

    private static IEnumerable<System.Reflection.Assembly> DomainAssemblies() =>
        WriteServices.Select(service => System.Reflection.Assembly.Load($"CapaEngine.{service}"));

    private static IEnumerable<(string Service, List<TypeDefinition> Types)> DomainTypes()
    {
        foreach (var service in WriteServices)
        {
            var assembly = AssemblyDefinition.ReadAssembly(
                Path.Combine(AppContext.BaseDirectory, $"CapaEngine.{service}.dll"));
            var types = assembly.MainModule.Types.Where(type => type.Namespace == $"CapaEngine.{service}.Domain")
                .SelectMany(WithNested).ToList();
            types.Count.ShouldBeGreaterThan(5, service);
            yield return (service, types);
        }
    }

    private static IEnumerable<TypeDefinition> WithNested(TypeDefinition type) =>
        type.NestedTypes.SelectMany(WithNested).Prepend(type);

    private static IEnumerable<TypeReference> ReferencedTypes(TypeDefinition type) =>
        type.Fields.Select(field => field.FieldType)
            .Concat(type.Interfaces.Select(implemented => implemented.InterfaceType))
            .Concat(type.Methods.SelectMany(method => method.Parameters.Select(p => p.ParameterType)
                .Append(method.ReturnType)))
            .Concat(type.Methods.Where(method => method.HasBody).SelectMany(method => method.Body.Instructions)
                .Select(InstructionType).OfType<TypeReference>())
            .Select(reference => reference.GetElementType());

    private static TypeReference? InstructionType(Instruction instruction) => instruction.Operand switch
    {
        MethodReference method => method.DeclaringType,
        FieldReference field => field.DeclaringType,
        TypeReference type => type,
        _ => null,
    };

    private static bool IsCompilerSupport(TypeReference type) => type.FullName.Contains('<');

    [GeneratedRegex(@"^[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*\.v[1-9][0-9]*$")]
    private static partial Regex StoredName();
}
