# One image for every role; the command chooses: node dist/worker.mjs
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
RUN if [ -z "$NPM_CONFIG_REGISTRY" ]; then unset NPM_CONFIG_REGISTRY; fi \
 && npm ci --omit=dev --no-fund --no-audit --loglevel=error \
 && npm install --prefix /tools --no-fund --no-audit --loglevel=error \
      esbuild@$(node -p "require('./package-lock.json').packages['node_modules/esbuild'].version") \
 && ln -s /tools/node_modules/esbuild node_modules/esbuild

# One file in place of the hundreds of modules that a process loads, and of node_modules only what is not in there. Of that,
# what no process loads goes, too: types, source maps, read-mes and tests; HubSpot's APIs besides the CRM. Licences stay.
FROM dependencies AS bundles
COPY packages ./packages
COPY apps ./apps
COPY scripts ./scripts
RUN node scripts/bundle.mjs --prune \
 && rm -rf node_modules/xml2js/lib/xml2js.bc.js \
 && (cd node_modules/@hubspot/api-client/lib/codegen && rm -rf automation cms conversations files marketing webhooks) \
 && find node_modules -type f \( -name '*.map' -o -name '*.ts' -o -name '*.mts' -o -name '*.cts' \) -delete \
 && find node_modules -type f -iname '*.md' ! -iname '*licen[cs]e*' ! -iname 'notice*' -delete \
 && find node_modules -depth -type d \( -name test -o -name tests -o -name docs -o -name benchmark \) -exec rm -rf {} + \
 && find packages apps -type f -name '*.ts' -delete

FROM node:24-bookworm-slim
# WRAPUP_CONTAINER: what is published is decided outside, so every role listens on all interfaces.
ENV NODE_ENV=production WRAPUP_CONTAINER=1
WORKDIR /app
COPY --from=bundles /app/node_modules ./node_modules
COPY --from=bundles /app/dist ./dist
# What processes read beside their code: presets, pages, styles.
COPY --from=bundles /app/packages ./packages
COPY --from=bundles /app/apps ./apps
COPY package.json ./
COPY samples ./samples
COPY config ./config
COPY scripts ./scripts
# Filled as the user that runs it: Node keeps a cache for each. At run time the file system is read-only, and it is only read.
ENV NODE_COMPILE_CACHE=/app/.compile-cache
RUN mkdir .compile-cache && chown node:node .compile-cache
USER node
RUN node scripts/fill-compile-cache.mjs
# Last, so that another commit keeps the layers above. https://github.com/opencontainers/image-spec/blob/main/annotations.md
ARG WRAPUP_VERSION
ARG WRAPUP_REVISION
ARG WRAPUP_SOURCE
ENV WRAPUP_REVISION=${WRAPUP_REVISION}
LABEL org.opencontainers.image.title="Wrapup" \
      org.opencontainers.image.description="The after-call work of voice agents: Synthflow calls onto CRM records, each once." \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${WRAPUP_VERSION}" \
      org.opencontainers.image.revision="${WRAPUP_REVISION}" \
      org.opencontainers.image.source="${WRAPUP_SOURCE}"
EXPOSE 8080 8081 8082 8090
STOPSIGNAL SIGTERM
CMD ["node", "dist/ingress.mjs"]
