import Type from "typebox";

/** Most entries of one list. */
export const MAX_EGRESS_ENTRIES = 256;

/** Most characters of one entry: the longest name, with a wildcard and a port. */
export const MAX_EGRESS_ENTRY_LENGTH = 262;

/** A list of names, addresses and networks, in a configuration or a request. */
export const destinationList = (options: { description?: string } = {}) =>
  Type.Array(Type.String({ minLength: 1, maxLength: MAX_EGRESS_ENTRY_LENGTH }), {
    maxItems: MAX_EGRESS_ENTRIES,
    ...options,
  });

const destinations = (description: string) => Type.Optional(destinationList({ description }));

/** `egress`: where runs with a network may go. */
export const Egress = Type.Object(
  {
    allow: destinations(
      "Names and public networks that runs may reach: `api.example.com`, `*.example.org` (all below it), " +
        "`93.184.216.0/24:443`. Default: all that is public.",
    ),
    deny: destinations("Names and networks that they may not reach, whatever is allowed. Default none."),
    private_allow: destinations(
      "Networks that are not public and may be reached all the same: `10.1.0.0/16:5432`. Default none.",
    ),
  },
  {
    additionalProperties: false,
    description: "What runs with network=sandbox may connect to. A request may ask for less, never for more.",
  },
);
