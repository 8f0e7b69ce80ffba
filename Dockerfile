# docker build -t wherefrom .
# docker run --rm -v wherefrom:/data wherefrom key create --name me --role admin --data /data
# docker run -p 4747:4747 -v wherefrom:/data wherefrom
#
# Inside a container the server must listen on every address, and listening beyond loopback needs an
# API key: hence the second line.

FROM node:24-slim AS build
WORKDIR /app
COPY package.json package-lock.json ./
COPY web/package.json web/
RUN npm ci
COPY . .
RUN npm run build

FROM node:24-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json ./
COPY web/package.json web/
# Only what the server needs: the web app is already bundled into dist/web.
RUN npm ci --omit=dev --ignore-scripts --workspaces=false

FROM node:24-slim
ENV NODE_ENV=production
WORKDIR /app
COPY --from=dependencies /app/node_modules node_modules
COPY --from=build /app/dist dist
COPY bin bin
COPY package.json LICENSE ./
RUN mkdir /data && chown node:node /data
USER node
VOLUME /data
EXPOSE 4747
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s \
  CMD ["node", "-e", "fetch('http://127.0.0.1:4747/health').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"]
ENTRYPOINT ["/app/bin/wherefrom"]
CMD ["serve", "--host", "0.0.0.0", "--data", "/data"]
