using System.Reflection;
using CapaEngine.Contracts;
using CapaEngine.Kernel;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.OpenApi;

namespace CapaEngine.Hosting;

/// <summary>
/// The service's OpenAPI document, made from its endpoints: it cannot say less than the code does. The gateway merges
/// the documents of all services.
/// </summary>
internal static class ApiDescription
{
    private const string Bearer = "bearer";
    private const string Repeatable = "Repeating the request under the same key gives the same result.";

    public static void AddApiDescription(this IServiceCollection services, string serviceName) =>
        services.AddOpenApi(options =>
        {
            // Nested records carry their family's name, so that two commands named Close stay apart. A list is
            // described where it stands: as a component it would have the limits of one member for all of its type.
            options.CreateSchemaReferenceId = type =>
                !IsList(type.Type) && OpenApiOptions.CreateDefaultSchemaReferenceId(type) is { } id
                    ? type.Type.DeclaringType is { } family ? family.Name + id : id
                    : null;
            options.AddSchemaTransformer(DescribeOwnTypesAsync);
            options.AddOperationTransformer(DescribeOperationAsync);
            options.AddDocumentTransformer((document, _, _) =>
            {
                document.Info = new OpenApiInfo { Title = $"CapaEngine {serviceName}", Version = "v1" };
                // Callers reach it through the gateway, wherever that is.
                document.Servers = [];
                document.Components ??= new OpenApiComponents();
                document.Components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>();
                document.Components.SecuritySchemes[Bearer] = new OpenApiSecurityScheme
                {
                    Type = SecuritySchemeType.Http, Scheme = Bearer, BearerFormat = "JWT",
                };
                return Task.CompletedTask;
            });
        });

    // What is written by converters of our own is opaque to the schema exporter.
    private static async Task DescribeOwnTypesAsync(
        OpenApiSchema schema, OpenApiSchemaTransformerContext context, CancellationToken ct)
    {
        var type = Nullable.GetUnderlyingType(context.JsonTypeInfo.Type) ?? context.JsonTypeInfo.Type;
        if (type == typeof(DateTimeOffset))
        {
            schema.Type = JsonSchemaType.String;
            schema.Format = "date-time";
        }
        else if (IsList(type))
        {
            schema.Type = JsonSchemaType.Array;
            (schema.MinItems, schema.MinLength) = (schema.MinLength, null);
            (schema.MaxItems, schema.MaxLength) = (schema.MaxLength, null);
            schema.Items = await context.GetOrCreateSchemaAsync(type.GetGenericArguments()[0], null, ct);
        }
    }

    private static bool IsList(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == typeof(ValueList<>);

    private static Task DescribeOperationAsync(
        OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken ct)
    {
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        if (!metadata.OfType<IAllowAnonymous>().Any())
            operation.Security =
            [
                new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(Bearer, context.Document)] = [] },
            ];
        var resource = context.Description.RelativePath?.Split('/').ElementAtOrDefault(2) ?? "service";
        operation.Tags = new HashSet<OpenApiTagReference> { new(resource, context.Document) };
        if (metadata.OfType<RepeatableMetadata>().Any())
            (operation.Parameters ??= []).Add(Header(Repetition.HeaderName, Repeatable));
        if (metadata.OfType<CommandMetadata>().FirstOrDefault() is { } command) DescribeCommand(operation, command);
        return Task.CompletedTask;
    }

    private static void DescribeCommand(OpenApiOperation operation, CommandMetadata described)
    {
        var allowed = described.Command.GetCustomAttribute<AllowAttribute>()!;
        var signs = described.Command.GetCustomAttribute<SignsAttribute>() is not null;
        operation.Description =
            $"Open to {string.Join(", ", allowed.Roles)}.{(signs ? " Signs, so it needs If-Match." : "")}";
        operation.Parameters ??= [];
        operation.Parameters.Add(Header(Repetition.HeaderName, Repeatable));
        operation.Parameters.Add(Header(
            "If-Match", "The revision the caller saw, quoted, such as \"3\".", required: signs));
        operation.Parameters.Add(Header(CommandHeaders.OccurredAtName, "When it happened; importers only."));
        if (!signs)
            operation.Parameters.Add(Header(CommandHeaders.OnBehalfOfName, "Whose deed it was; importers only."));
    }

    private static OpenApiParameter Header(string name, string description, bool required = false) => new()
    {
        Name = name,
        In = ParameterLocation.Header,
        Description = description,
        Required = required,
        Schema = new OpenApiSchema { Type = JsonSchemaType.String },
    };
}
