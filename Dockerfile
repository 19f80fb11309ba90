# examples/Deployment as an image: built with the SDK, run without a shell, as a user without rights. docs/running.md says how to use it.
#   docker build -t netgo-service . && docker run --rm --read-only --cap-drop ALL -p 8080:8080 netgo-service
FROM mcr.microsoft.com/dotnet/sdk:10.0-noble AS build
WORKDIR /source
# What restore reads comes first: while it stays the same, the packages come from the layer that is there.
COPY Directory.* .editorconfig ./
COPY src/Scheduler/*.csproj src/Scheduler/
COPY src/Netpoll/*.csproj src/Netpoll/
COPY src/Http/*.csproj src/Http/
COPY examples/Deployment/*.csproj examples/Deployment/
RUN dotnet restore examples/Deployment
COPY src src
COPY examples/Deployment examples/Deployment
# There is no history in here to make a version from.
ARG VERSION=0.0.0
RUN dotnet publish examples/Deployment -c Release --no-restore -p:RunAnalyzers=false -p:MinVerSkip=true -p:Version=$VERSION -o /app

FROM mcr.microsoft.com/dotnet/runtime:10.0-noble-chiseled
WORKDIR /app
COPY --from=build /app .
# Without its diagnostics .NET writes no file, so that the root may be read-only. To look into a container set it to 1 and mount a /tmp.
ENV DOTNET_EnableDiagnostics=0
# The number, since Kubernetes cannot tell from a name that it is not root.
USER $APP_UID
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["/app/Deployment", "--healthcheck", "http://127.0.0.1:8080/health/live"]
ENTRYPOINT ["/app/Deployment"]
# Together less than the 10 s after which `docker stop` kills.
CMD ["--listen", ":8080", "--drain", "2", "--grace", "7"]
