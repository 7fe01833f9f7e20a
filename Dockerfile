# One image for every role; the command chooses: node apps/worker/src/main.ts
# Builds with the classic builder of Docker 20.10 as well as with BuildKit.
# Behind a registry mirror: docker build --build-arg NPM_CONFIG_REGISTRY=https://… (proxies: HTTP_PROXY, HTTPS_PROXY).

# Only what decides which dependencies are installed, so that a change of source keeps the layer below.
FROM node:24-bookworm-slim AS manifests
WORKDIR /app
COPY . .
RUN find . -type f ! -name package.json ! -name package-lock.json ! -name .npmrc -delete \
 && find . -type d -empty -delete

FROM node:24-bookworm-slim AS dependencies
ARG NPM_CONFIG_REGISTRY
WORKDIR /app
COPY --from=manifests /app ./
# What no process loads is a quarter of what npm installs: the compiler, an optional peer of a dependency; types, source maps,
# read-mes and tests; languages of dates; builds for browsers; HubSpot's APIs besides the CRM. Licences stay. The cache below
# loads every module, so that the build fails where something is missed.
RUN if [ -z "$NPM_CONFIG_REGISTRY" ]; then unset NPM_CONFIG_REGISTRY; fi \
 && npm ci --omit=dev --no-fund --no-audit --loglevel=error \
 && rm -rf node_modules/typescript node_modules/@typescript node_modules/.bin/tsc \
      node_modules/xml2js/lib/xml2js.bc.js node_modules/libphonenumber-js/bundle node_modules/libphonenumber-js/source \
 && (cd node_modules/@hubspot/api-client/lib/codegen && rm -rf automation cms conversations files marketing webhooks) \
 && find node_modules -type f \( -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' \) -delete \
 && find node_modules -type f -iname '*.md' ! -iname '*licen[cs]e*' ! -iname 'notice*' -delete \
 && find node_modules -depth -type d \( -name test -o -name tests -o -name docs -o -name benchmark \) -exec rm -rf {} + \
 && find node_modules/date-fns/locale -mindepth 1 -maxdepth 1 ! -name _lib ! -name 'en-US*' -exec rm -rf {} +

FROM node:24-bookworm-slim
# WRAPUP_CONTAINER: what is published is decided outside, so every role listens on all interfaces.
ENV NODE_ENV=production WRAPUP_CONTAINER=1
WORKDIR /app
# Packages of the workspace are links in node_modules; Node runs TypeScript where they lead, never below node_modules.
COPY --from=dependencies /app ./
COPY packages ./packages
COPY apps ./apps
COPY samples ./samples
COPY config ./config
COPY scripts ./scripts
# Filled as the user that runs it: Node keeps a cache for each. At run time the file system is read-only, and it is only read.
ENV NODE_COMPILE_CACHE=/app/.compile-cache
RUN mkdir .compile-cache && chown node:node .compile-cache
USER node
RUN node scripts/fill-compile-cache.mjs
EXPOSE 8080 8081 8082 8090
STOPSIGNAL SIGTERM
CMD ["node", "apps/ingress/src/main.ts"]
