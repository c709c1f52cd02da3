# The standalone server: `riverhook serve`. Everything but the secrets has a default below.
#
#   docker build -t riverhook .
#   docker run -p 8080:8080 -e RIVERHOOK_SECRETS=whk_... -v riverhook:/data -v ./handlers:/handlers:ro riverhook

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# With the optional packages: one of them builds the page. No install script is needed.
RUN npm ci --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
COPY package.json package-lock.json ./
# Fastify is a peer dependency for hosts and a dev dependency for clones. Without the latter, npm installs the peer in the locked version.
RUN npm pkg delete devDependencies.fastify && npm ci --omit=dev --ignore-scripts && npm cache clean --force
COPY --from=build /app/dist dist
# The user that runs the server owns the inbox. A new volume mounted here gets the same owner.
RUN mkdir -p /data /handlers && chown node:node /data
ENV RIVERHOOK_HOST=0.0.0.0
ENV RIVERHOOK_PORT=8080
ENV RIVERHOOK_INBOX=sqlite:/data/riverhook.db
ENV RIVERHOOK_HANDLERS=/handlers
VOLUME /data
EXPOSE 8080
USER node
# The image has no curl. Checks liveness instead of readiness: do not restart a server that drains or waits for its disk.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.RIVERHOOK_PORT + '/health/live').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Exec form, so that SIGTERM reaches node. Other commands: docker exec ... node dist/cli/main.js stats
ENTRYPOINT ["node", "/app/dist/cli/main.js"]
CMD ["serve"]
