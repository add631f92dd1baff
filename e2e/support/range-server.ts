import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join, normalize } from "node:path";

/** A model folder as a hub serves it: byte ranges, readable from pages of another origin. */
export async function withRangeServer(folder: string, use: (baseUrl: string) => Promise<void>): Promise<void> {
  const server = createServer((request, response) => {
    const file = join(folder, normalize(new URL(request.url ?? "/", "http://localhost").pathname));
    const headers = {
      "access-control-allow-origin": "*",
      "access-control-expose-headers": "content-range, content-length, etag",
    };
    if (!existsSync(file) || !statSync(file).isFile()) {
      response.writeHead(404, headers).end();
      return;
    }
    const { size } = statSync(file);
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? "") ?? [];
    if (first === undefined) {
      response.writeHead(200, { ...headers, "content-length": size });
      createReadStream(file).pipe(response);
      return;
    }
    const [start, end] = [Number(first), Math.min(Number(last), size - 1)];
    response.writeHead(206, {
      ...headers,
      "content-range": `bytes ${start}-${end}/${size}`,
      "content-length": end - start + 1,
    });
    createReadStream(file, { start, end }).pipe(response);
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "localhost", resolve);
  });
  try {
    await use(`http://localhost:${(server.address() as AddressInfo).port}/`);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}
