import { BoxerError } from "../../core/errors.ts";
import { printable } from "../printable.ts";

const LOOPBACK =
  /^(?:localhost\.?|127\.\d+\.\d+\.\d+|0\.0\.0\.0|\[::1?\]|\[::ffff:7f[0-9a-f]{2}:[0-9a-f]+\])$/;
const LINK_LOCAL = /^(?:169\.254\.\d+\.\d+|\[fe[89ab][0-9a-f]:.*\]|\[::ffff:a9fe:[0-9a-f]+\])$/;

/**
 * Which hosts may be spoken to, and how. Registries name further addresses (of their token server, of where a blob
 * really is), and a registry may be anybody's; so what it names is held to these rules:
 * - https only, but for loopback and the registries that the operator listed as insecure;
 * - never from https down to http;
 * - a registry that is elsewhere cannot send us to loopback or link-local addresses.
 */
export class HostPolicy {
  readonly #insecure: ReadonlySet<string>;

  /** @param insecureRegistries `host` for any port, or `host:port` */
  constructor(insecureRegistries: readonly string[]) {
    this.#insecure = new Set(insecureRegistries.map((host) => host.toLowerCase()));
  }

  /** Whether plain HTTP is allowed to this host. `url` has been parsed, so that odd spellings are gone. */
  mayUsePlainHttp(url: URL): boolean {
    const port = url.port || (url.protocol === "https:" ? "443" : "80");
    const { hostname } = url;
    return (
      LOOPBACK.test(hostname) || this.#insecure.has(hostname) || this.#insecure.has(`${hostname}:${port}`)
    );
  }

  /**
   * Checks an address that a server has named, and drops user and password from it.
   * @param from the address of that server
   * @param what what it names, for the message: `redirect`, `token server`
   * @throws BoxerError `image_pull_failed` with the bare reason
   */
  follow(from: URL, address: string, what: string): URL {
    const url = URL.parse(address, from);
    const refuse = (why: string): BoxerError =>
      new BoxerError(
        "image_pull_failed",
        `refusing the ${what} "${printable(address)}" of ${from.host}: ${why}`,
      );
    if (!url || (url.protocol !== "https:" && url.protocol !== "http:"))
      throw refuse("it is not an http(s) address");
    if (url.protocol === "http:" && from.protocol === "https:") throw refuse("it would leave https");
    if (url.protocol === "http:" && !this.mayUsePlainHttp(url))
      throw refuse("plain http is not allowed there");
    if (LINK_LOCAL.test(url.hostname) && !LINK_LOCAL.test(from.hostname))
      throw refuse("it is a link-local address");
    if (LOOPBACK.test(url.hostname) && !LOOPBACK.test(from.hostname))
      throw refuse("it is a loopback address");
    url.username = "";
    url.password = "";
    return url;
  }
}
