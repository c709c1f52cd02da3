# The standalone server: `riverhook serve`. Everything but the secrets has a default below.
#
#   docker build -t riverhook .
#   docker run -p 8080:8080 -e RIVERHOOK_SECRETS=whk_... -v riverhook:/data -v ./handlers:/handlers:ro riverhook
#
# docs/deploy.md says how it is run, extended with packages of your own, and how the digests below are renewed.

# The build is the same for every platform, so it runs on the platform of the builder.
FROM --platform=$BUILDPLATFORM node:24.21.0-trixie-slim@sha256:173f125896c3b47ddf056734c7ea789d04595a6a08769a8f78e0df642781fb66 AS build
WORKDIR /app
COPY package.json package-lock.json ./
# Of the dev dependencies, only those that build: no browser, no PostgreSQL and no second Node. With the optional packages: one of them is esbuild for this platform. No install script is needed.
RUN node -p "Object.keys(require('./package.json').devDependencies).filter((name) => !/^(esbuild|uplot|@?preact)/.test(name)).map((name) => 'devDependencies[' + name + ']').join(' ')" | xargs npm pkg delete && npm ci --ignore-scripts
COPY tsconfig.json ./
COPY test/package/bundle.ts test/package/builtin-modules.ts test/package/own-files.ts test/package/
COPY src src
# No types: nothing is compiled in the image.
RUN npm run build:bundle && npm run build:page

FROM --platform=$BUILDPLATFORM node:24.21.0-trixie-slim@sha256:173f125896c3b47ddf056734c7ea789d04595a6a08769a8f78e0df642781fb66 AS packages
WORKDIR /app
COPY package.json package-lock.json ./
# Fastify is a peer dependency for hosts and a dev dependency for clones. Without the latter, npm installs the peer in the locked version.
RUN npm pkg delete devDependencies.fastify && npm ci --omit=dev --ignore-scripts
# The final image has no `env`, which the shebang of dist/cli/main.js needs.
RUN mkdir bin empty && printf '#!/nodejs/bin/node\nimport "../dist/cli/main.js"\n' > bin/riverhook && chmod 755 bin/riverhook

# Has Node, and neither a shell nor npm.
FROM gcr.io/distroless/nodejs24-debian13:nonroot@sha256:9eeb7f5887d0e239e78264b06f7f11d2e14be534050481803a9e4728fcdd278e
LABEL org.opencontainers.image.title="Riverhook" \
      org.opencontainers.image.description="Receives signed webhook events without losing one, and runs your handlers until they succeed" \
      org.opencontainers.image.source="https://github.com/riverhook/riverhook" \
      org.opencontainers.image.documentation="https://github.com/riverhook/riverhook/blob/main/docs/deploy.md" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.base.name="gcr.io/distroless/nodejs24-debian13:nonroot"
COPY --from=packages /app/package.json /app/package.json
COPY --from=packages /app/node_modules /app/node_modules
COPY --from=packages /app/bin /app/bin
COPY --from=build /app/dist /app/dist
# The user that runs the server owns the inbox. A new volume mounted here gets the same owner.
COPY --from=packages --chown=65532:65532 /app/empty /data
COPY --from=packages /app/empty /handlers
WORKDIR /app
ENV NODE_ENV=production
ENV PATH=/app/bin:/nodejs/bin:$PATH
# RIVERHOOK_PORT, else PORT, else 8080.
ENV RIVERHOOK_HOST=0.0.0.0
ENV RIVERHOOK_INBOX=sqlite:/data/riverhook.db
ENV RIVERHOOK_HANDLERS=/handlers
VOLUME /data
EXPOSE 8080
# A number, because Kubernetes refuses a name: it could be root.
USER 65532:65532
# Checks liveness instead of readiness: do not restart a server that drains or waits for its disk. It has to start Node, because the image has no other program; so it is rare once the server has started. Kubernetes ignores it, and its probes start nothing.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --start-interval=1s --retries=3 CMD ["/nodejs/bin/node", "-e", "require('node:http').get({ host: '127.0.0.1', port: process.env.RIVERHOOK_PORT ?? process.env.PORT ?? 8080, path: '/health/live' }, ({ statusCode }) => process.exit(statusCode === 200 ? 0 : 1)).on('error', () => process.exit(1))"]
# Exec form, so that SIGTERM reaches Node. Other commands: docker exec CONTAINER riverhook stats
ENTRYPOINT ["/nodejs/bin/node", "/app/dist/cli/main.js"]
CMD ["serve"]
