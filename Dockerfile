# The standalone server: `riverhook serve`. Everything but the secrets has a default below.
#
#   docker build -t riverhook .
#   docker run -p 8080:8080 -e RIVERHOOK_SECRETS=whk_... -v riverhook:/data -v ./handlers:/handlers:ro riverhook

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
# The optional packages are Node itself, for clones: the image has its own. No install script is needed.
RUN npm ci --omit=optional --ignore-scripts
COPY tsconfig.json tsconfig.build.json ./
COPY src src
RUN npm run build

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
COPY package.json package-lock.json ./
# Fastify is a peer, for hosts, and a dev dependency, for the clone: without the second entry it is installed here as the peer, as it is locked.
RUN npm pkg delete devDependencies.fastify && npm ci --omit=dev --ignore-scripts && npm cache clean --force
COPY --from=build /app/dist dist
# The inbox belongs to the user that runs the server; a volume mounted here takes the owner over.
RUN mkdir -p /data /handlers && chown node:node /data
ENV RIVERHOOK_HOST=0.0.0.0
ENV RIVERHOOK_PORT=8080
ENV RIVERHOOK_INBOX=sqlite:/data/riverhook.db
ENV RIVERHOOK_HANDLERS=/handlers
VOLUME /data
EXPOSE 8080
USER node
# The image has no curl. Liveness, not readiness: a server that drains or waits for its disk is not to be restarted.
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 CMD ["node", "-e", "fetch('http://127.0.0.1:' + process.env.RIVERHOOK_PORT + '/health/live').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"]
# Exec form, so that node itself is given SIGTERM. Other commands: docker exec ... node dist/cli/main.js stats
ENTRYPOINT ["node", "/app/dist/cli/main.js"]
CMD ["serve"]
