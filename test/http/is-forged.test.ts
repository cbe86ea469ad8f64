import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { type Doors, isForged } from "../../src/http/is-forged.ts";

const NO_AUTH: Doors["dashboard"] = { auth: undefined };
const LOOPBACK: Doors = { listen: { hostname: "127.0.0.1", port: 8080 }, dashboard: NO_AUTH };
const EVERYWHERE: Doors = { listen: { hostname: undefined, port: 8080 }, dashboard: NO_AUTH };
const WITH_AUTH: Doors = { ...LOOPBACK, dashboard: { auth: "token" } };

type Case = [name: string, headers: Record<string, string>, doors?: Doors];

describe("goes through", () => {
  const cases: Case[] = [
    ["a program", { host: "127.0.0.1:8080" }],
    ["a program that calls us by a name of its own", { host: "boxer.internal:8080" }],
    ["a program behind a proxy", { host: "boxer.example", "x-forwarded-for": "10.0.0.1" }],
    ["a request without Host", {}],
    [
      "our page",
      { host: "localhost:8080", origin: "http://localhost:8080", "sec-fetch-site": "same-origin" },
    ],
    ["our page in an old browser", { host: "127.0.0.1:8080", origin: "http://127.0.0.1:8080" }],
    ["our page by IPv6", { host: "[::1]:8080", origin: "http://[::1]:8080" }],
    ["an address bar", { host: "localhost:8080", "sec-fetch-site": "none" }],
    ["our page on the network", { host: "boxer:8080", origin: "http://boxer:8080" }, EVERYWHERE],
    ["our page by a name written large", { host: "Boxer:8080", origin: "http://boxer:8080" }, EVERYWHERE],
    [
      "our page behind a proxy with TLS that keeps Host",
      { host: "boxer.example", origin: "https://boxer.example", "sec-fetch-site": "same-origin" },
    ],
    [
      "our page behind a proxy without TLS that the operator knows of",
      { host: "boxer.intranet", origin: "http://boxer.intranet" },
      WITH_AUTH,
    ],
    [
      "our page behind a proxy that changes Host",
      { host: "127.0.0.1:8080", origin: "https://boxer.example", "sec-fetch-site": "same-origin" },
    ],
    [
      "our page behind a proxy that changes Host and says so, in an old browser",
      { host: "127.0.0.1:8080", origin: "https://boxer.example", "x-forwarded-host": "boxer.example" },
    ],
  ];
  for (const [name, headers, doors = LOOPBACK] of cases) {
    test(name, () => assert.equal(isForged("POST", new Headers(headers), doors), false));
  }
});

describe("is refused", () => {
  const cases: Case[] = [
    ["a page of another site", { host: "127.0.0.1:8080", "sec-fetch-site": "cross-site" }],
    ["a page of another port", { host: "127.0.0.1:8080", "sec-fetch-site": "same-site" }],
    ["another origin in an old browser", { host: "127.0.0.1:8080", origin: "https://evil.example" }],
    ["another port in an old browser", { host: "127.0.0.1:8080", origin: "http://127.0.0.1:3000" }],
    ["an origin that is hidden", { host: "127.0.0.1:8080", origin: "null" }],
    ["another origin on the network", { host: "boxer:8080", origin: "https://evil.example" }, EVERYWHERE],
    [
      "a name pointed at loopback",
      { host: "evil.example:8080", origin: "http://evil.example:8080", "sec-fetch-site": "same-origin" },
    ],
    [
      "a name pointed at loopback where a proxy is known of",
      { host: "evil.example:8080", origin: "http://evil.example:8080" },
      WITH_AUTH,
    ],
    ["a name pointed at a proxy nobody spoke of", { host: "evil.example", origin: "http://evil.example" }],
    ["the same without Fetch Metadata", { host: "evil.example:8080", origin: "http://evil.example:8080" }],
    [
      "the same in the clothes of a proxy",
      {
        host: "evil.example:8080",
        origin: "http://evil.example:8080",
        "x-forwarded-for": "10.0.0.1",
        "x-forwarded-host": "evil.example:8080",
        forwarded: "host=localhost",
      },
    ],
    [
      "a form of a page with TLS at the same name and port",
      { host: "evil.example:8080", origin: "https://evil.example:8080" },
    ],
    [
      "a name that begins like loopback",
      { host: "127.0.0.1.evil:8080", origin: "http://127.0.0.1.evil:8080" },
    ],
  ];
  for (const [name, headers, doors = LOOPBACK] of cases) {
    test(name, () => {
      for (const method of ["POST", "PUT", "DELETE", "PATCH"])
        assert.equal(isForged(method, new Headers(headers), doors), true, method);
    });
  }
});

const READS = ["GET", "HEAD", "OPTIONS"];
/** Every browser sends it; scripts can empty it, not take it away. */
const BROWSER = { "accept-language": "" };

describe("may read", () => {
  const cases: Case[] = [
    ["a link on another site", { ...BROWSER, host: "127.0.0.1:8080", "sec-fetch-site": "cross-site" }],
    ["a page of another site, whose browser shows it nothing", { ...BROWSER, host: "localhost:8080" }],
    ["our page by IPv6", { ...BROWSER, host: "[::1]:8080" }],
    ["a browser that comes by an address of the machine", { ...BROWSER, host: "10.0.0.1:8080" }],
    ["a program that calls us by a name of its own", { host: "boxer.internal:8080" }],
    ["a program without Host", BROWSER],
    ["a browser behind a proxy, which has another port", { ...BROWSER, host: "boxer.example" }],
    ["a browser by a name of the network", { ...BROWSER, host: "boxer:8080" }, EVERYWHERE],
  ];
  for (const [name, headers, doors = LOOPBACK] of cases) {
    test(name, () => {
      for (const method of READS) assert.equal(isForged(method, new Headers(headers), doors), false, method);
    });
  }
});

describe("may not even read", () => {
  const REBOUND = { ...BROWSER, host: "evil.example:8080" };
  const cases: Case[] = [
    ["a name pointed at loopback", REBOUND],
    ["the same with Fetch Metadata", { ...REBOUND, "sec-fetch-site": "same-origin" }],
    ["the same where a proxy is known of", REBOUND, WITH_AUTH],
    ["the same in the clothes of a proxy", { ...REBOUND, "x-forwarded-proto": "https", via: "1.1 proxy" }],
    [
      "the same where the port is picked at start",
      REBOUND,
      { ...LOOPBACK, listen: { ...LOOPBACK.listen, port: 0 } },
    ],
    ["a name that begins like an address", { ...BROWSER, host: "10.0.0.1.evil:8080" }],
  ];
  for (const [name, headers, doors = LOOPBACK] of cases) {
    test(name, () => {
      for (const method of READS) assert.equal(isForged(method, new Headers(headers), doors), true, method);
    });
  }
});
