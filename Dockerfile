# gpx_sidekiq alone: exporter, DogStatsD receiver, queries and checks.
FROM node:22-bookworm-slim AS build
WORKDIR /src
COPY package.json package-lock.json ./
RUN npm ci --no-audit --no-fund
COPY tsconfig.json ./
COPY pkg ./pkg
COPY scripts ./scripts
COPY dashboards ./dashboards
RUN npm run -s build:backend && mv dist/gpx_sidekiq_linux_* /gpx_sidekiq

FROM gcr.io/distroless/base-debian12:nonroot
COPY --from=build /gpx_sidekiq /gpx_sidekiq
COPY LICENSE /LICENSE
EXPOSE 9292 9125/udp
ENTRYPOINT ["/gpx_sidekiq"]
CMD ["serve", "--listen", "0.0.0.0:9292", "--listen-without-token"]
