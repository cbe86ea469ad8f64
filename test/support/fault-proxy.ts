import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse, request as send } from "node:http";
import type { AddressInfo } from "node:net";
import { refuse } from "./fake-registry.ts";

const CUT_DELAY_MS = 300;

/** What happens to a request: passed on after a delay; cut after so many bytes of its answer; answered by the proxy. */
export type Fault =
  | { readonly kind: "delay"; readonly duration_ms: number }
  | { readonly kind: "cut"; readonly after_bytes: number }
  | { readonly kind: "refuse"; readonly status: number; readonly retry_after?: string };

/** A proxy in front of a registry, on loopback, with one fault after the other. */
export interface FaultProxy {
  readonly host: string;
  /** What still is to happen to the requests for blobs and manifests, the next first. Without any, all goes through. */
  readonly faults: Fault[];
  /** Method, path and range of each request. */
  readonly seen: string[];
  stop(): Promise<void>;
}

/** @param registry `127.0.0.1:PORT` of the registry that answers in the end */
export async function startFaultProxy(registry: string): Promise<FaultProxy> {
  const faults: Fault[] = [];
  const seen: string[] = [];
  const server = createServer((request, response) => {
    const isPing = request.url === "/v2/";
    if (!isPing) seen.push(`${request.method} ${request.url} ${request.headers.range ?? ""}`.trim());
    const fault = isPing ? undefined : faults.shift();
    if (fault?.kind === "refuse") {
      const headers = fault.retry_after === undefined ? {} : { "retry-after": fault.retry_after };
      return refuse(response, fault.status, "TROUBLE", "not now", headers as Record<string, string>);
    }
    const pass = () =>
      passOn(request, response, registry, fault?.kind === "cut" ? fault.after_bytes : undefined);
    if (fault?.kind === "delay") setTimeout(pass, fault.duration_ms);
    else pass();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    host: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    faults,
    seen,
    async stop() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function passOn(
  { method, url, headers }: IncomingMessage,
  response: ServerResponse,
  registry: string,
  cutAfter: number | undefined,
): void {
  const outgoing = send(`http://${registry}${url}`, { method, headers }, (answer) => {
    response.writeHead(answer.statusCode ?? 502, answer.headers);
    let passed = 0;
    answer.on("data", (chunk: Buffer) => {
      if (response.destroyed) return;
      const rest = cutAfter === undefined ? chunk : chunk.subarray(0, cutAfter - passed);
      passed += rest.length;
      response.write(rest);
      // Not at once: the other side may drop what it has not read yet.
      if (passed === cutAfter) setTimeout(() => response.destroy(), CUT_DELAY_MS);
    });
    answer.on("end", () => {
      if (passed !== cutAfter) response.end();
    });
    answer.on("error", () => response.destroy());
  });
  outgoing.on("error", () => response.destroy());
  outgoing.end();
}
