# syntax=docker/dockerfile:1
# One image definition for every service: docker build -f infra/Service.Dockerfile --build-arg SERVICE=Gateway .
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
ARG SERVICE
WORKDIR /source
COPY global.json Directory.Build.props Directory.Packages.props .editorconfig ./
COPY shared shared
COPY services/${SERVICE} services/${SERVICE}
# Locked: the image holds exactly the packages that were tested.
RUN --mount=type=cache,target=/root/.nuget/packages \
    dotnet publish services/${SERVICE} --configuration Release --output /app --property:RestoreLockedMode=true

FROM mcr.microsoft.com/dotnet/aspnet:10.0
ARG SERVICE
# The read models print reports in it.
RUN apt-get update && apt-get install -y --no-install-recommends fonts-dejavu-core && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY --from=build /app .
# For the development issuer's key; a volume mounted here takes over the owner.
RUN mkdir /keys && chown ${APP_UID} /keys
ENV ASPNETCORE_URLS=http://+:8080 \
    ASSEMBLY=CapaEngine.${SERVICE}.dll
EXPOSE 8080
USER ${APP_UID}
# The image has bash but no curl.
SHELL ["/bin/bash", "-c"]
HEALTHCHECK --interval=5s --timeout=5s --start-period=10s --retries=24 CMD \
    exec 3<>/dev/tcp/127.0.0.1/8080 && printf 'GET /health/ready HTTP/1.0\r\n\r\n' >&3 && \
    head -n 1 <&3 | grep -q ' 200 '
ENTRYPOINT ["bash", "-c", "exec dotnet \"$ASSEMBLY\""]
