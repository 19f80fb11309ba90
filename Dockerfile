# The HelloHttp example as a small image: built with the SDK, run as a user without rights.
#   docker build -t netgo-hello . && docker run --rm -p 8080:8080 netgo-hello
FROM mcr.microsoft.com/dotnet/sdk:10.0 AS build
WORKDIR /source
COPY . .
RUN dotnet publish examples/HelloHttp -c Release -o /app

FROM mcr.microsoft.com/dotnet/runtime:10.0
WORKDIR /app
COPY --from=build /app .
USER $APP_UID
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=2s --start-period=2s CMD ["/app/HelloHttp", "--healthcheck", "http://127.0.0.1:8080/"]
ENTRYPOINT ["/app/HelloHttp"]
CMD [":8080"]
