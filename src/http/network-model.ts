import Type from "typebox";
import { destinationList } from "../config/egress-schema.ts";
import { nullable, optional } from "../core/nullable.ts";

const destinations = (description: string) => optional(destinationList(), description);

/** What a request lets a run connect to. */
export const Egress = Type.Object(
  {
    allow: destinations(
      "What the run may connect to, and nothing else: names (`api.example.com`), all names below one (`*.example.org`), " +
        "addresses and networks (`203.0.113.0/24`, `2001:db8::1`), each with a port if need be (`api.example.com:443`, " +
        "`[2001:db8::/32]:443`). Empty: nothing. Absent: all that is public.",
    ),
    deny: destinations("What it may not, whatever is allowed. A name has no port here."),
  },
  { additionalProperties: false },
);

/** What a run did with its network. */
export const NetworkUsage = nullable(
  Type.Object({
    allowed_connections: Type.Integer({
      description: "Connections, and exchanges without one, that were let out.",
    }),
    refused_connections: Type.Integer({
      description: "Attempts that were refused; of UDP and ICMP each packet is one.",
    }),
    bytes_in: Type.Integer({ description: "Bytes of IP that reached the run." }),
    bytes_out: Type.Integer({ description: "Bytes of IP that left it." }),
    dns_allowed: nullable(
      Type.Integer(),
      "Look-ups that were answered; null where the run asked the configured name servers itself.",
    ),
    dns_refused: nullable(Type.Integer(), "Look-ups that were refused, likewise."),
  }),
  "What the run did with a network of its own; null with `network` `none` and `host`, and where it cannot be told.",
);
