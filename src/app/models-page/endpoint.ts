/**
 * A hub on this machine, for a page from this machine: `?hub=http://127.0.0.1:8080`. Any other address is not taken, so that
 * no link can lead a reader's downloads, or a token, elsewhere.
 */
export function hubEndpoint(page: Pick<Location, "hostname" | "search">): string | undefined {
  const given = new URLSearchParams(page.search).get("hub");
  if (given === null || !URL.canParse(given) || !isLoopback(page.hostname)) return undefined;
  const { protocol, hostname } = new URL(given);
  return protocol === "http:" && isLoopback(hostname) ? given : undefined;
}

function isLoopback(hostname: string): boolean {
  return hostname === "localhost" || hostname === "127.0.0.1" || hostname === "[::1]";
}
